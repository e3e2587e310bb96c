/** Prints the line that continuous integration counts: `N passed, N failed, N skipped`, from jest's own totals. */
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    // A test file that fails to load runs no test: it still counts as one failure.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    console.log(`${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
  }
}
