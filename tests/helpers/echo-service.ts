/** The manifest of a service that answers, hangs, and repeats what it is told. */
export const ECHO_MANIFEST = `schemaVersion: 1
id: echo
title: Echo
summary: Answers, or does not
offer: choice
port: { variable: ECHO_PORT, base: 9100, last: 9199, container: 9100, url: "http://localhost:{{port}}" }
volumes: [{ name: echo_data, holds: nothing, notSaved: there is nothing in it }]
containers:
  - name: echo
    variable: ECHO
    image: { pinned: "framework-infra-test/langfuse-stand-in:4", latest: "framework-infra-test/langfuse-stand-in:4" }
    limits:
      small: { memory: 128m, cpus: "0.5", pids: 64 }
      medium: { memory: 128m, cpus: "0.5", pids: 64 }
      large: { memory: 128m, cpus: "0.5", pids: 64 }
env:
  - { name: ECHO_SECRET, class: secret, description: What it repeats., rotate: Write another one. }
probes:
  - { id: secret, title: it is silent, hint: silence it, exec: { env: { SECRET: "\${ECHO_SECRET}" }, script: 'echo "it is $SECRET"; exit 1' } }
  - { id: open, title: its port is open, hint: start it, tcp: { host: localhost, port: "\${ECHO_PORT}" } }
  - { id: peer, title: it answers, hint: start it, exec: { script: 'wget -q -O - "http://$PROBE_ADDRESS:9100/" >/dev/null && echo hello from beside' } }
  - { id: wrong, title: it says bye, hint: teach it, http: { url: "http://localhost:\${ECHO_PORT}", requests: [{ path: /, expect: { json: { word: bye } } }] } }
  - { id: hangs, title: it answers, hint: restart it, http: { url: "http://localhost:\${ECHO_PORT}", requests: [{ path: /hang }] } }
  - { id: slow, title: it answers, hint: restart it, exec: { script: "sleep 60" } }
  - { id: missing, title: it answers, hint: restart it, exec: { script: no-such-program } }
  - { id: unset, title: it answers, hint: restart it, http: { url: "\${ECHO_UNSET}", requests: [{ path: / }] } }
`;

/** Its part of compose.yaml. */
export const ECHO_COMPOSE = `  echo:
    image: {{container.echo.image}}
    container_name: {{container.echo.containerName}}
    volumes:
      - echo_data:/data
    entrypoint:
      - node
      - -e
      - require("node:http").createServer((q, a) => { if (q.url !== "/hang") a.end('{"word":"hello"}') }).listen(9100)
    ports:
      - {{binding.echo}}
    networks:
      - internal
      - network
    restart: unless-stopped
    healthcheck:
      test:
        - CMD
        - wget
        - -q
        - -O
        - /dev/null
        - http://127.0.0.1:9100/
      interval: 2s
      timeout: 2s
      retries: 5
    {{> common c=container.echo user="1001:1001" readOnly=true capAdd=""}}
`;
