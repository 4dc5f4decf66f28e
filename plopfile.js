// Plop's own loader on Node 20 reads no TypeScript (and ends with 0 all the same), so it finds this file
// first: it lets tsx read plopfile.ts.
process.env.TSX_DISABLE_CACHE ??= "1"; // or tsx leaves its cache in the temporary directory
const { tsImport } = await import("tsx/esm/api");
const { default: plopfile } = await tsImport("./plopfile.ts", import.meta.url);

export default plopfile;
