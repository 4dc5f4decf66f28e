/** `1.5 GiB`, `16 MiB`, `4 KiB`. */
export function sizeText(bytes: number): string {
  const units: [number, string][] = [
    [1024 ** 3, "GiB"],
    [1024 ** 2, "MiB"],
    [1024, "KiB"],
  ];
  const [unit, name] = units.find(([least]) => bytes >= least) ?? [1, "bytes"];
  return `${(bytes / unit).toFixed(unit === 1024 ** 3 ? 1 : 0)} ${name}`;
}
