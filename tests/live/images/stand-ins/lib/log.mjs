// One JSON line per notable event, always marked: nobody reading a log should
// take a stand-in for the real product.
const service = () => process.env.STAND_IN_NAME ?? "stand-in";

export function log(event, fields = {}) {
  process.stdout.write(
    `${JSON.stringify({ time: new Date().toISOString(), standIn: true, service: service(), event, ...fields })}\n`,
  );
}

/** Ends the process so that a restart policy or a test sees the failure. */
export function fatal(event, fields = {}) {
  log(event, { level: "fatal", ...fields });
  process.exit(1);
}

/**
 * Process 1 gets no default signal handling from the kernel: ask for it.
 * @param {() => void | Promise<void>} beforeExit
 */
export function endOnSignals(beforeExit = () => {}) {
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.once(signal, () => {
      log("stopping", { signal });
      Promise.resolve()
        .then(beforeExit)
        .then(
          () => process.exit(0),
          (error) => fatal("stopping failed", { error: String(error?.message ?? error) }),
        );
    });
  }
  process.on("uncaughtException", (error) => fatal("crashed", { error: String(error?.stack ?? error) }));
}
