/**
 * What the keys of framework.yaml mean, by path (`*`: any key), for its JSON Schema. Not in the schema itself: a
 * description there costs a copy of the schema at every start.
 */
export const DESCRIPTIONS: Readonly<Record<string, string>> = {
  "services.*.port": "host port; only services that publish one have it",
  "services.*.requested": "false: it came as a dependency and goes when nothing needs it any more",
  "logging.level": "the application's root level",
  "logging.driver": "Docker's log driver for every container",
  "logging.maxSize": "a log file is rotated at this size",
  "logging.maxFile": "how many rotated files are kept for each container",
  "backup.directory": "where the backup sets lie; relative to the framework's directory",
  "backup.driver": "dir: sets lie in the directory; restic: in a restic repository, encrypted",
  "backup.repository": "of restic; RESTIC_REPOSITORY in .env.restic overrides it",
  "backup.at": "when the scheduled backup runs each day, in UTC; without it, a time of night made from the name",
  "backup.keep.last": "how many of the newest sets are kept",
  "backup.keep.daily": "of how many days the newest set is kept",
  "backup.keep.weekly": "of how many weeks the newest set is kept",
  "backup.keep.monthly": "of how many months the newest set is kept",
  "*.host": "URL of the one that already runs (mode: external)",
};
