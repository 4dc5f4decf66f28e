// In place of graceful-fs in the bundle: its queue for open files and its patches of `fs` are for programs that open
// thousands of files at once, and loading them costs as much time as everything else that writing needs.
module.exports = require("node:fs");
