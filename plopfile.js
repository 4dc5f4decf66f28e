// Plop's own loader on Node 20 reads no TypeScript (and ends with 0 all the same), so it finds this file
// first: it lets tsx read plopfile.ts.
import { tsImport } from "tsx/esm/api";

const { default: plopfile } = await tsImport("./plopfile.ts", import.meta.url);

export default plopfile;
