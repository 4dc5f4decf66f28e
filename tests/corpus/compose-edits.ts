import { all, before, inService, pattern, swap, withoutService, type Edit } from "./edit.ts";

const P = "services.postgres";
const Q = "services.qdrant";
const NETWORKS = "\nnetworks:\n  # For services";
const LOGGING = '    logging:\n      driver: local\n      options:\n        max-size: "10m"\n        max-file: "3"\n';
const LIST = "    networks:\n      - internal\n      - network\n";

/** Edits of compose.yaml: what people do to such a file by hand, and what templates change from one version to the next. */
export const COMPOSE_EDITS: readonly Edit[] = [
  // --- by hand: values
  { id: "u-shm", side: "user", touches: [`${P}.shm_size`], apply: swap("shm_size: 256m", "shm_size: 1g") },
  { id: "u-shm-comment", side: "user", touches: [`${P}.shm_size`, `${P}.shm_size#`], apply: swap("shm_size: 256m", "shm_size: 2g # big sorts") },
  { id: "u-p-restart", side: "user", touches: [`${P}.restart`], apply: inService("postgres", swap("restart: unless-stopped", "restart: always")) },
  { id: "u-q-restart", side: "user", touches: [`${Q}.restart`], apply: inService("qdrant", swap("restart: unless-stopped", "restart: always")) },
  { id: "u-q-interval", side: "user", touches: [`${Q}.healthcheck.interval`], apply: inService("qdrant", swap("interval: 5s", "interval: 30s")) },
  { id: "u-p-timeout", side: "user", touches: [`${P}.healthcheck.timeout`], apply: inService("postgres", swap("timeout: 5s", "timeout: 15s")) },
  { id: "u-q-start", side: "user", touches: [`${Q}.healthcheck.start_period`], apply: inService("qdrant", swap("start_period: 30s", "start_period: 120s")) },
  { id: "u-p-image", side: "user", touches: [`${P}.image`], apply: swap("postgres:15-alpine}", "postgres:15.8-alpine}") },
  { id: "u-q-image", side: "user", touches: [`${Q}.image`], apply: swap("qdrant:v1.19.0-unprivileged", "qdrant:v1.19.2-unprivileged") },
  { id: "u-q-memory", side: "user", touches: [`${Q}.deploy.resources.limits.memory`], apply: swap("QDRANT_MEMORY_LIMIT:-1g", "QDRANT_MEMORY_LIMIT:-6g") },
  { id: "u-p-cpus", side: "user", touches: [`${P}.deploy.resources.limits.cpus`], apply: swap("POSTGRES_CPU_LIMIT:-1.0", "POSTGRES_CPU_LIMIT:-3.0") },
  { id: "u-q-logging", side: "user", touches: [`${Q}.logging.options.max-size`], apply: inService("qdrant", swap('"10m"', '"50m"')) },
  { id: "u-p-command", side: "user", touches: [`${P}.command`], apply: swap("      - timezone=UTC\n", "      - timezone=UTC\n      - -c\n      - work_mem=64MB\n") },
  { id: "u-p-port", side: "user", touches: [`${P}.ports.5432`], apply: swap('"${BIND_ADDRESS:-127.0.0.1}:${POSTGRES_PORT:?set it in .env}:5432"', '"0.0.0.0:${POSTGRES_PORT:?set it in .env}:5432"') },
  { id: "u-q-tmpfs", side: "user", touches: [`${Q}.tmpfs./tmp`], apply: inService("qdrant", swap("/tmp:size=64m", "/tmp:size=512m")) },
  { id: "u-q-nofile", side: "user", touches: [`${Q}.ulimits.nofile.soft`], apply: swap("soft: ${QDRANT_NOFILE_LIMIT:-65536}", "soft: ${QDRANT_NOFILE_LIMIT:-10240}") },
  { id: "u-driver", side: "user", touches: ["networks.network.driver_opts"], apply: swap("    name: ${FRAMEWORK_NAME}_network\n    driver: bridge\n", "    name: ${FRAMEWORK_NAME}_network\n    driver: bridge\n    driver_opts:\n      com.docker.network.driver.mtu: \"1450\"\n") },
  // --- by hand: things added
  { id: "u-env-add", side: "user", touches: [`${Q}.environment.QDRANT__LOG_LEVEL`], apply: swap('      QDRANT__TELEMETRY_DISABLED: "true"\n', '      QDRANT__TELEMETRY_DISABLED: "true"\n      QDRANT__LOG_LEVEL: DEBUG # while we look for the leak\n') },
  { id: "u-p-env-add", side: "user", touches: [`${P}.environment.TZ`], apply: swap("      POSTGRES_DB: postgres\n", "      POSTGRES_DB: postgres\n      TZ: Europe/Berlin\n") },
  { id: "u-port-add", side: "user", touches: [`${Q}.ports.6334`], apply: swap("${QDRANT_PORT:?set it in .env}:6333\"\n", "${QDRANT_PORT:?set it in .env}:6333\"\n      # gRPC, for the indexer\n      - \"127.0.0.1:7334:6334\"\n") },
  { id: "u-volume-add", side: "user", touches: [`${Q}.volumes./imports`], apply: swap("      - qdrant_snapshots:/qdrant/snapshots\n", "      - qdrant_snapshots:/qdrant/snapshots\n      - /srv/imports:/imports:ro\n") },
  { id: "u-labels", side: "user", touches: [`${P}.labels`], apply: inService("postgres", swap("    restart: unless-stopped\n", "    restart: unless-stopped\n    labels:\n      team: search\n")) },
  { id: "u-dns", side: "user", touches: [`${Q}.dns`], apply: inService("qdrant", swap("    restart: unless-stopped\n", "    dns: [10.0.0.2]\n    restart: unless-stopped\n")) },
  { id: "u-app", side: "user", touches: ["services.app"], needs: [Q], apply: before(NETWORKS, "\n  # Our API\n  app:\n    image: registry.example/app:7\n    depends_on:\n      qdrant:\n        condition: service_healthy\n    networks:\n      - internal\n") },
  { id: "u-worker", side: "user", touches: ["services.worker"], needs: [P], apply: swap("services:\n", "services:\n  worker:\n    image: registry.example/worker:7\n    depends_on: [postgres]\n    networks: [internal]\n\n") },
  { id: "u-adminer", side: "user", touches: ["services.adminer"], apply: swap("\n  # Qdrant: Vector", "\n  adminer:\n    image: adminer:5\n    ports:\n      - \"127.0.0.1:8080:8080\"\n    networks:\n      - network\n\n  # Qdrant: Vector") },
  { id: "u-net-add", side: "user", touches: ["networks.office"], apply: before("\nvolumes:\n", "  office:\n    external: true\n") },
  { id: "u-vol-top", side: "user", touches: ["volumes.cache"], apply: (text) => `${text}  cache:\n    driver_opts: {type: tmpfs, device: tmpfs}\n` },
  { id: "u-x", side: "user", touches: ["x-team"], apply: swap("\nservices:\n", "\nx-team: search\n\nservices:\n") },
  { id: "u-test", side: "user", touches: [`${P}.healthcheck.test`], apply: swap("-XtAqc 'SELECT 1'", "-XtAqc 'SELECT 1 FROM pg_class LIMIT 1'") },
  // --- by hand: things taken away
  { id: "u-no-shm", side: "user", touches: [`${P}.shm_size`], removes: [`${P}.shm_size`], apply: swap("    shm_size: 256m\n", "") },
  { id: "u-no-p-port", side: "user", touches: [`${P}.ports`], removes: [`${P}.ports`], apply: swap('    ports:\n      - "${BIND_ADDRESS:-127.0.0.1}:${POSTGRES_PORT:?set it in .env}:5432"\n', "") },
  { id: "u-no-telemetry", side: "user", touches: [`${Q}.environment.QDRANT__TELEMETRY_DISABLED`], removes: [`${Q}.environment.QDRANT__TELEMETRY_DISABLED`], apply: swap('      QDRANT__TELEMETRY_DISABLED: "true"\n', "") },
  { id: "u-no-snapshots", side: "user", touches: [`${Q}.volumes./qdrant/snapshots`], removes: [`${Q}.volumes./qdrant/snapshots`], apply: swap("      - qdrant_snapshots:/qdrant/snapshots\n", "") },
  { id: "u-no-qdrant", side: "user", touches: [Q], removes: [Q], apply: withoutService("qdrant") },
  // --- by hand: comments
  { id: "u-c-image", side: "user", touches: [`${P}.image#`], apply: swap("postgres:15-alpine}\n", "postgres:15-alpine} # ask before you change it\n") },
  { id: "u-c-above", side: "user", touches: [`${Q}.ports#above`], apply: inService("qdrant", swap("    ports:\n", "    # Only the dashboard and REST.\n    ports:\n")) },
  { id: "u-c-reworded", side: "user", touches: [`${P}.volumes./docker-entrypoint-initdb.d#above`], apply: swap("# Runs once, when the data directory is empty.", "# Runs once. Do not edit after the first start!") },
  { id: "u-c-head", side: "user", touches: ["#head"], apply: swap("# Infrastructure of crewai: PostgreSQL, Qdrant.\n", "# Infrastructure of crewai: PostgreSQL, Qdrant.\n# Owner: team search, #search-infra\n") },
  { id: "u-c-end", side: "user", touches: ["#end"], apply: (text) => `${text}\n# vim: set ts=2:\n` },
  { id: "u-c-todo", side: "user", touches: [`${P}.tmpfs#end`], apply: swap("      - /var/run/postgresql:uid=70,gid=70,mode=2775\n", "      - /var/run/postgresql:uid=70,gid=70,mode=2775\n    # later: pg_stat_statements\n") },
  // --- by hand: style alone
  { id: "u-s-quotes", side: "user", touches: [], apply: inService("postgres", pattern(/max-size: "(.*)"/, "max-size: '$1'")) },
  { id: "u-s-unquote", side: "user", touches: [], apply: inService("qdrant", pattern(/user: "(.*)"/, "user: '$1'")) },
  { id: "u-s-flow", side: "user", touches: [], apply: inService("qdrant", pattern(/ {4}networks:\n {6}- (.*)\n {6}- (.*)\n(?! {6}- )/, "    networks: [$1, $2]\n")) },
  { id: "u-s-flow-caps", side: "user", touches: [], apply: inService("postgres", pattern(/ {4}cap_drop:\n {6}- (.*)\n(?! {6}- )/, "    cap_drop: [$1]\n")) },
  { id: "u-s-order", side: "user", touches: [], apply: inService("postgres", pattern(/( {6}- internal\n)( {6}- network\n)/, "$2$1")) },
  { id: "u-s-order-vol", side: "user", touches: [], apply: pattern(/( {6}- qdrant_data:\/qdrant\/storage\n)( {6}- qdrant_snapshots:\/qdrant\/snapshots\n)/, "$2$1") },
  { id: "u-s-keys", side: "user", touches: [], apply: inService("qdrant", pattern(/( {4}restart: .*\n)( {4}healthcheck:\n(?: {6}.*\n)+)/, "$2$1")) },
  { id: "u-s-indent", side: "user", touches: [], apply: (text) => text.replaceAll(/^ +/gm, (blanks) => blanks + blanks) },
  { id: "u-s-crlf", side: "user", touches: [], apply: (text) => text.replaceAll(/\r?\n/g, "\r\n") },
  { id: "u-s-blank", side: "user", touches: [], apply: inService("postgres", swap("    healthcheck:\n", "\n    healthcheck:\n")) },
  // --- by hand: anchors
  { id: "u-a-logging", side: "user", touches: [`${P}.logging`, `${Q}.logging`], apply: all(inService("postgres", swap("    logging:\n", "    logging: &logging\n")), inService("qdrant", swap(LOGGING, "    logging: *logging\n"))) },
  { id: "u-a-merge", side: "user", touches: ["x-health", `${Q}.healthcheck.interval`, `${Q}.healthcheck.timeout`], apply: all(swap("\nservices:\n", "\nx-health: &health\n  interval: 5s\n  timeout: 5s\n\nservices:\n"), inService("qdrant", swap("      interval: 5s\n      timeout: 5s\n", "      <<: *health\n"))) },
  { id: "u-a-new", side: "user", touches: ["x-caps", "services.scratch"], apply: all(swap("\nservices:\n", "\nx-caps: &caps [ALL]\n\nservices:\n"), before(NETWORKS, "\n  scratch:\n    image: busybox\n    cap_drop: *caps\n")) },
  // --- by hand: another form
  { id: "u-f-env", side: "user", touches: [`${P}.environment`], apply: inService("postgres", pattern(/ {4}environment:\n((?: {6}.*\n)+?)(?= {4}\S)/, "    environment: # as a list\n      - POSTGRES_DB=postgres\n")) },

  // --- templates: values
  { id: "t-shm", side: "template", touches: [`${P}.shm_size`], apply: swap("shm_size: 256m", "shm_size: 512m") },
  { id: "t-p-image", side: "template", touches: [`${P}.image`], apply: swap("postgres:15-alpine}", "postgres:15.9-alpine}") },
  { id: "t-q-image", side: "template", touches: [`${Q}.image`], apply: swap("qdrant:v1.19.0-unprivileged", "qdrant:v1.20.0-unprivileged") },
  { id: "t-q-interval", side: "template", touches: [`${Q}.healthcheck.interval`], apply: inService("qdrant", swap("interval: 5s", "interval: 10s")) },
  { id: "t-p-interval", side: "template", touches: [`${P}.healthcheck.interval`], apply: inService("postgres", swap("interval: 5s", "interval: 10s")) },
  { id: "t-q-start", side: "template", touches: [`${Q}.healthcheck.start_period`], apply: inService("qdrant", swap("start_period: 30s", "start_period: 60s")) },
  { id: "t-q-memory", side: "template", touches: [`${Q}.deploy.resources.limits.memory`], apply: swap("QDRANT_MEMORY_LIMIT:-1g", "QDRANT_MEMORY_LIMIT:-2g") },
  { id: "t-p-pids", side: "template", touches: [`${P}.deploy.resources.limits.pids`], apply: swap("POSTGRES_PIDS_LIMIT:-256", "POSTGRES_PIDS_LIMIT:-512") },
  { id: "t-grace", side: "template", touches: [`${P}.stop_grace_period`], apply: swap("stop_grace_period: 60s", "stop_grace_period: 90s") },
  { id: "t-q-grace", side: "template", touches: [`${Q}.stop_grace_period`], apply: swap("stop_grace_period: 30s", "stop_grace_period: 45s") },
  { id: "t-q-size", side: "template", touches: [`${Q}.logging.options.max-size`], apply: inService("qdrant", swap('"10m"', '"20m"')) },
  { id: "t-p-size", side: "template", touches: [`${P}.logging.options.max-size`], apply: inService("postgres", pattern(/max-size: (["'])10m\1/, "max-size: $120m$1")) },
  { id: "t-p-file", side: "template", touches: [`${P}.logging.options.max-file`], apply: inService("postgres", swap('max-file: "3"', 'max-file: "5"')) },
  { id: "t-q-user", side: "template", touches: [`${Q}.user`], apply: pattern(/user: (["'])1000:1000\1/, "user: $11001:1001$1") },
  { id: "t-checksums", side: "template", touches: [`${P}.environment.POSTGRES_INITDB_ARGS`], apply: swap("POSTGRES_INITDB_ARGS: --data-checksums", "POSTGRES_INITDB_ARGS: --data-checksums --locale-provider=icu --icu-locale=und") },
  { id: "t-test", side: "template", touches: [`${P}.healthcheck.test`], apply: swap("| grep -q 1\n", "| grep -qx 1\n") },
  { id: "t-command", side: "template", touches: [`${P}.command`], apply: swap("      - timezone=UTC\n", "      - timezone=UTC\n      - -c\n      - log_timezone=UTC\n") },
  { id: "t-q-port", side: "template", touches: [`${Q}.ports.6333`], apply: swap("${QDRANT_PORT:?set it in .env}:6333", "${QDRANT_PORT:?it is missing in .env}:6333") },
  { id: "t-p-port", side: "template", touches: [`${P}.ports.5432`], apply: swap("${POSTGRES_PORT:?set it in .env}:5432", "${POSTGRES_PORT:?it is missing in .env}:5432") },
  { id: "t-q-tmpfs", side: "template", touches: [`${Q}.tmpfs./tmp`], apply: inService("qdrant", swap("/tmp:size=64m", "/tmp:size=128m")) },
  // --- templates: things added
  { id: "t-init", side: "template", touches: [`${Q}.init`], apply: inService("qdrant", swap("    read_only: true\n", "    read_only: true\n    init: true\n")) },
  { id: "t-p-init", side: "template", touches: [`${P}.init`], apply: inService("postgres", swap("    restart: unless-stopped\n", "    restart: unless-stopped\n    # Reaps what the server's children leave.\n    init: true\n")) },
  { id: "t-env-add", side: "template", touches: [`${Q}.environment.QDRANT__SERVICE__MAX_REQUEST_SIZE_MB`], apply: swap('      QDRANT__TELEMETRY_DISABLED: "true"\n', '      QDRANT__TELEMETRY_DISABLED: "true"\n      # A larger upload is cut off.\n      QDRANT__SERVICE__MAX_REQUEST_SIZE_MB: "64"\n') },
  { id: "t-p-env-add", side: "template", touches: [`${P}.environment.PGTZ`], apply: swap("      POSTGRES_DB: postgres\n", "      POSTGRES_DB: postgres\n      PGTZ: UTC\n") },
  { id: "t-net", side: "template", touches: [`${Q}.networks.metrics`, "networks.metrics"], apply: all(inService("qdrant", swap(LIST, `${LIST}      - metrics\n`)), before("\nvolumes:\n", "  # Scraped by the collector.\n  metrics:\n    name: ${FRAMEWORK_NAME}_metrics\n    driver: bridge\n")) },
  { id: "t-caps", side: "template", touches: [`${P}.security_opt`], apply: inService("postgres", swap("      - no-new-privileges:true\n", "      - no-new-privileges:true\n      - apparmor:docker-default\n")) },
  { id: "t-volume", side: "template", touches: [`${Q}.volumes./qdrant/config`], apply: swap("      - qdrant_snapshots:/qdrant/snapshots\n", "      - qdrant_snapshots:/qdrant/snapshots\n      - ./config/qdrant:/qdrant/config:ro\n") },
  { id: "t-service", side: "template", touches: ["services.valkey", "volumes.valkey_data"], apply: all(before(NETWORKS, "\n  # Valkey: queue and cache.\n  valkey:\n    image: valkey/valkey:8.1-alpine\n    volumes:\n      - valkey_data:/data\n    networks:\n      - internal\n    command:\n      - valkey-server\n      - --appendonly\n      - \"yes\"\n"), (text) => (text.endsWith("\n") && !text.includes("# vim") ? `${text}  # the queue\n  valkey_data:\n    name: \${FRAMEWORK_NAME}_valkey_data\n` : undefined)) },
  { id: "t-first", side: "template", touches: ["services.clickhouse"], apply: all(swap("services:\n  # PostgreSQL:", "services:\n  # ClickHouse: traces.\n  clickhouse:\n    image: clickhouse/clickhouse-server:26.3\n    networks:\n      - internal\n\n  # PostgreSQL:")) },
  { id: "t-dns", side: "template", touches: [`${Q}.dns`], apply: inService("qdrant", swap("    restart: unless-stopped\n", "    dns:\n      - 1.1.1.1\n    restart: unless-stopped\n")) },
  // --- templates: things taken away
  { id: "t-no-shm", side: "template", touches: [`${P}.shm_size`], removes: [`${P}.shm_size`], apply: swap("    shm_size: 256m\n", "") },
  { id: "t-no-init-file", side: "template", touches: [`${Q}.environment.QDRANT_INIT_FILE_PATH`], removes: [`${Q}.environment.QDRANT_INIT_FILE_PATH`], apply: swap("      QDRANT_INIT_FILE_PATH: /tmp/.qdrant-initialized\n", "") },
  { id: "t-no-qdrant", side: "template", touches: [Q], removes: [Q], apply: withoutService("qdrant") },
  { id: "t-no-snapshots", side: "template", touches: [`${Q}.volumes./qdrant/snapshots`, "volumes.qdrant_snapshots"], removes: [`${Q}.volumes./qdrant/snapshots`], apply: all(swap("      - qdrant_snapshots:/qdrant/snapshots\n", ""), swap("  # snapshots, made on request\n  qdrant_snapshots:\n    name: ${FRAMEWORK_NAME}_qdrant_snapshots\n", "")) },
  { id: "t-no-ulimits", side: "template", touches: [`${Q}.ulimits`], removes: [`${Q}.ulimits`], apply: pattern(/ {4}ulimits:\n(?: {6}.*\n)+/, "") },
  // --- templates: comments and form
  { id: "t-c-reworded", side: "template", touches: [`${P}.volumes./docker-entrypoint-initdb.d#above`], apply: swap("# Runs once, when the data directory is empty.", "# Runs once only, when the data directory is still empty.") },
  { id: "t-c-key", side: "template", touches: [`${Q}.environment.QDRANT__SERVICE__API_KEY#above`], apply: swap("# `:?` because an empty key would switch authentication off without a word.", "# Required: an empty key would switch authentication off.") },
  { id: "t-c-head", side: "template", touches: ["#head2"], apply: swap("# A service can be started alone with what it needs, for example:", "# Each service can be started alone with what it needs:") },
  { id: "t-c-volume", side: "template", touches: ["volumes.qdrant_data#above"], apply: swap("  # collections and their vectors\n", "  # collections, their vectors and payloads\n") },
  { id: "t-c-gap", side: "template", touches: [`${P}.tmpfs./tmp#`], apply: inService("postgres", swap("      - /tmp:size=64m\n", "      - /tmp:size=64m # sort files do not go here\n")) },
  { id: "t-f-env", side: "template", touches: [`${P}.environment`], apply: inService("postgres", pattern(/ {4}environment:\n((?: {6}.*\n)+?)(?= {4}\S)/, "    environment:\n      - POSTGRES_DB=app\n")) },

  // --- the same on both sides
  { id: "b-shm", side: "both", touches: [`${P}.shm_size`], apply: swap("shm_size: 256m", "shm_size: 384m") },
  { id: "b-init", side: "both", touches: [`${Q}.init`], apply: inService("qdrant", swap("    read_only: true\n", "    read_only: true\n    init: true\n")) },
];
