// Stands in the bundle for what the prompts bring along and never use: an external editor with its tables of
// character sets, and what Plop's own file actions and its loader of plopfiles need. All of it together is more
// than half of what would be loaded before the first prompt.
const leftOut = () => {
  throw new Error("this program was built without it");
};

module.exports = new Proxy(leftOut, { get: (_, name) => (name === "__esModule" ? undefined : leftOut) });
