/** What can hold values by key: a Map, or a WeakMap where a value is to go with its key. */
interface Store<K, V> {
  get: (key: K) => V | undefined;
  set: (key: K, value: V) => unknown;
}

/** The value of a key, made when it is asked for the first time. @param make gives the same for the same key */
export function once<K, V>(store: Store<K, V>, key: K, make: () => V): V {
  const known = store.get(key);
  if (known !== undefined) return known;
  const made = make();
  store.set(key, made);
  return made;
}
