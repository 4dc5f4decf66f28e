// Stands in for inquirer's external editor in the bundle: the interview has no question that opens one, and
// the editor's tables of character sets are more than half of what would be loaded before the first prompt.
export function editAsync() {
  throw new Error("this program was built without an editor");
}
