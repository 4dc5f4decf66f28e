// In place of Node's `assert` in the bundle: packages check the types of arguments with it, which are ours.
module.exports = { equal: () => undefined };
