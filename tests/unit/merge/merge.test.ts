import { describe, expect, it } from "vitest";

import { mergeFile } from "../../../src/merge/merge.ts";

/** What a merge gives: the text, or `conflict`. */
function merged(path: string, ours: string, base: string, theirs: string, prefer?: "theirs"): string {
  const outcome = mergeFile(path, ours, base, theirs, prefer);
  return "text" in outcome ? outcome.text : "conflict";
}

const yaml = (ours: string, base: string, theirs: string): string => merged("compose.yaml", ours, base, theirs);
/** A compose file with one service, and more of it. */
const W = (more: string): string => `services:\n  a:\n    image: x\n${more}`;
const same = Symbol("ours, byte by byte");
const theirs = Symbol("theirs, byte by byte");
type Expected = string | typeof same | typeof theirs;

function check(path: string, ours: string, base: string, other: string, expected: Expected): void {
  expect(merged(path, ours, base, other)).toBe(expected === same ? ours : expected === theirs ? other : expected);
}

describe("YAML", () => {
  it.each<[string, string, string, string, Expected]>([
    // what, ours, base, theirs
    [
      "adjacent lines",
      W("    a: 2\n    b: 1\n"),
      W("    a: 1\n    b: 1\n"),
      W("    a: 1\n    b: 2\n"),
      W("    a: 2\n    b: 2\n"),
    ],
    ["one key on both sides", W("    a: 2\n"), W("    a: 1\n"), W("    a: 3\n"), "conflict"],
    ["the same on both sides", W("    a: 2\n"), W("    a: 1\n"), W("    a: 2\n"), same],
    ["deleted here, changed there", W(""), W("    a: 1\n"), W("    a: 2\n"), "conflict"],
    ["changed here, deleted there", W("    a: 2\n"), W("    a: 1\n"), W(""), "conflict"],
    ["quotes alone", W("    a: '1'\n"), W('    a: "1"\n'), W('    a: "2"\n'), W('    a: "2"\n')],
    [
      "a port by its target",
      W('    ports:\n      - "1:80"\n      - "9:90"\n'),
      W('    ports:\n      - "1:80"\n'),
      W('    ports:\n      - "2:80"\n'),
      W('    ports:\n      - "2:80"\n      - "9:90"\n'),
    ],
    [
      "a port in its long form",
      W("    ports:\n      - target: 80\n        published: 1\n"),
      W('    ports:\n      - "1:80"\n'),
      W('    ports:\n      - "2:80"\n'),
      "conflict",
    ],
    [
      "two ports with one target",
      W('    ports:\n      - "1:80"\n      - "2:80"\n'),
      W('    ports:\n      - "1:80"\n'),
      W('    ports:\n      - "3:80"\n'),
      "conflict",
    ],
    [
      "an environment entry by its name",
      W("    environment:\n      - A=1\n      - M=1\n"),
      W("    environment:\n      - A=1\n"),
      W("    environment:\n      - A=2\n"),
      W("    environment:\n      - A=2\n      - M=1\n"),
    ],
    [
      "a list written as a mapping",
      W("    environment:\n      A: 1\n"),
      W("    environment:\n      - A=1\n"),
      W("    environment:\n      - A=2\n"),
      "conflict",
    ],
    [
      "two command lines",
      W("    command: [a, c]\n"),
      W("    command:\n      - a\n"),
      W("    command:\n      - a\n      - b\n"),
      "conflict",
    ],
    [
      "an item replaced on both sides",
      W("    cap_add:\n      - B\n"),
      W("    cap_add:\n      - A\n"),
      W("    cap_add:\n      - C\n"),
      "conflict",
    ],
    [
      "an alias",
      "x: &x {k: 1}\nservices:\n  a:\n    l: *x\n",
      "services:\n  a:\n    l:\n      k: 1\n",
      "services:\n  a:\n    l:\n      k: 2\n",
      "conflict",
    ],
    [
      "an alias elsewhere",
      "x: &x {k: 1}\nservices:\n  a:\n    l: *x\n    image: y\n",
      "services:\n  a:\n    l:\n      k: 1\n    image: y\n",
      "services:\n  a:\n    l:\n      k: 1\n    image: z\n",
      "x: &x {k: 1}\nservices:\n  a:\n    l: *x\n    image: z\n",
    ],
    ["a broken file", "services: [\n", W(""), W("    a: 1\n"), "conflict"],
    ["one key twice", W("    a: 1\n    a: 2\n"), W(""), W("    b: 1\n"), "conflict"],
    ["an own key called __proto__", W("    __proto__: 1\n"), W(""), W("    b: 1\n"), W("    b: 1\n    __proto__: 1\n")],
    [
      "no line end at the end",
      "services:\n  a:\n    image: x",
      W(""),
      W("    b: 1\n"),
      "services:\n  a:\n    image: x\n    b: 1",
    ],
    [
      "CRLF",
      W("    a: 1\n").replaceAll("\n", "\r\n"),
      W("    a: 1\n"),
      W("    a: 1\n    # b\n    b: 2\n"),
      W("    a: 1\n    # b\n    b: 2\n").replaceAll("\n", "\r\n"),
    ],
    [
      "a byte order mark",
      `\uFEFF# head\n${W("")}`,
      `# head\n${W("")}`,
      `# new head\n${W("    b: 1\n")}`,
      `\uFEFF# new head\n${W("    b: 1\n")}`,
    ],
    [
      "mixed line ends",
      "# l1\n# l2\r\nname: n\r\n",
      "# l1\n# l2\nname: n\n",
      "# l1\n# L2\nname: n\n",
      "# l1\n# L2\r\nname: n\r\n",
    ],
  ])("%s", (_, ours, base, other, expected) => {
    check("compose.yaml", ours, base, other, expected);
  });

  it.each<[string, string, string, string, Expected]>([
    [
      "in a flow list",
      W("    cap_drop: [\n      A, # for the db\n      B\n    ]\n"),
      W("    cap_drop:\n      - A\n      - B\n"),
      W("    cap_drop:\n      - A\n"),
      "conflict",
    ],
    [
      "in a command",
      W('    command: [\n      "run", # the subcommand\n      "-v",\n    ]\n'),
      W("    command:\n      - run\n      - -v\n"),
      W("    command:\n      - run\n      - -v\n      - -x\n"),
      "conflict",
    ],
    [
      "behind the mark of a block scalar",
      W("    command: | # keep me\n      run\n"),
      W("    command: |\n      run\n"),
      W("    command: |\n      run2\n"),
      "conflict",
    ],
    [
      "between a key and its value",
      W("    shm_size:\n      # for big sorts\n      256m\n"),
      W("    shm_size: 256m\n"),
      W(""),
      "conflict",
    ],
    [
      "behind a key whose list goes",
      W("    cap_drop: # mine\n      - ALL\n"),
      W("    cap_drop:\n      - ALL\n"),
      W("    cap_drop: []\n"),
      "conflict",
    ],
    ["above a key that goes", W("    # mine\n    a: 1\n"), W("    a: 1\n"), W(""), "conflict"],
    [
      "that is a commented-out service",
      W("    tmpfs:\n      - /tmp\n\n  # app:\n  #   image: app\n\nnetworks:\n  n:\n"),
      W("    tmpfs:\n      - /tmp\n\nnetworks:\n  n:\n"),
      W("    tmpfs:\n      - /tmp\n      - /run\n    init: true\n\nnetworks:\n  n:\n"),
      W("    tmpfs:\n      - /tmp\n      - /run\n    init: true\n\n  # app:\n  #   image: app\n\nnetworks:\n  n:\n"),
    ],
    [
      "that is a commented-out option",
      W("    environment:\n      A: 1\n    # privileged: true\n\n  b:\n    image: y\n"),
      W("    environment:\n      A: 1\n\n  b:\n    image: y\n"),
      W("    environment:\n      A: 1\n      B: 2\n\n  b:\n    image: y\n"),
      W("    environment:\n      A: 1\n      B: 2\n    # privileged: true\n\n  b:\n    image: y\n"),
    ],
    [
      "above a service that was moved",
      "services:\n  b:\n    image: y\n  a:\n    image: x\n",
      "services:\n  a:\n    image: x\n  b:\n    image: y\n",
      "services:\n  # about a\n  a:\n    image: x\n  b:\n    image: y\n  c:\n    image: z\n",
      "services:\n  b:\n    image: y\n  c:\n    image: z\n  # about a\n  a:\n    image: x\n",
    ],
    [
      "new in a command line",
      W("    command:\n      - run\n    user: mine\n"),
      W("    command:\n      - run\n"),
      W("    command: # why\n      # verbose\n      - run\n"),
      W("    command: # why\n      # verbose\n      - run\n    user: mine\n"),
    ],
    [
      "new in a command line that is in another style here",
      W("    command: [run]\n"),
      W("    command:\n      - run\n"),
      W("    command:\n      # verbose\n      - run\n"),
      "conflict",
    ],
    [
      "at the head of the file",
      "# head\nx: 1\nname: n\n",
      "# head\nname: n\n",
      '# head\nversion: "3"\nname: n\n',
      '# head\nversion: "3"\nx: 1\nname: n\n',
    ],
    [
      "reworded at a head whose first key is gone",
      "# head\nservices: {}\n",
      "# head\nname: n\nservices: {}\n",
      "# new\nname: n\nservices: {}\n",
      "# new\nservices: {}\n",
    ],
    ["reworded above what was deleted here", W(""), W("    # old\n    a: 1\n"), W("    # new\n    a: 1\n"), same],
    [
      "below a blank line that is new here",
      W("\n    user: u\n"),
      W("    user: u\n"),
      W("    # why\n    user: u\n"),
      W("\n    # why\n    user: u\n"),
    ],
    [
      "new on both sides above the same key",
      W("    # mine\n    init: true\n"),
      W(""),
      W("    # Reaps.\n    init: true\n"),
      "conflict",
    ],
    [
      "that both inserted beside one that only one changed",
      "# X\n# p\nname: n\n",
      "# p\nname: n\n",
      "# X\n# p2\nname: n\n",
      "conflict",
    ],
  ])("loses no comment and doubles none: %s", (_, ours, base, other, expected) => {
    check("compose.yaml", ours, base, other, expected);
  });

  it.each<[string, string, string, string, Expected]>([
    [
      "quotes what needs it",
      W("    options: {size: 10m}\n"),
      W("    options:\n      size: 10m\n"),
      W("    options:\n      size: ${SIZE:-10m}\n"),
      W('    options: {size: "${SIZE:-10m}"}\n'),
    ],
    [
      "takes several items out",
      W("    cap_drop: [A, B, C]\n"),
      W("    cap_drop:\n      - A\n      - B\n      - C\n"),
      W("    cap_drop:\n      - C\n"),
      W("    cap_drop: [C]\n"),
    ],
    [
      "replaces the only item",
      W("    dns: [ A ]\n"),
      W("    dns:\n      - A\n"),
      W("    dns:\n      - B\n"),
      W("    dns: [ B ]\n"),
    ],
    ["adds to an empty one", W("    dns: []\n"), W("    dns: []\n"), W("    dns:\n      - B\n"), W("    dns: [B]\n")],
    [
      "writes what has keys of its own as lines",
      W("    x-list: []\n    y: 1 # mine\n"),
      W("    x-list: []\n"),
      W("    x-list:\n      - a: 1\n        b: 2\n      - a: 2\n"),
      W("    x-list:\n      - a: 1\n        b: 2\n      - a: 2\n    y: 1 # mine\n"),
    ],
  ])("in flow style: %s", (_, ours, base, other, expected) => {
    check("compose.yaml", ours, base, other, expected);
  });

  it("keeps an anchor that nobody uses yet", () => {
    check(
      "compose.yaml",
      "services:\n  a:\n    image: &img x\n",
      W(""),
      W("").replace("x", "y"),
      "services:\n  a:\n    image: &img y\n",
    );
  });

  it("is in doubt about the order of a list whose order means something", () => {
    const files = (...names: string[]): string =>
      W(`    env_file:\n${names.map((name) => `      - ${name}\n`).join("")}`);
    expect(yaml(files("a", "mine"), files("a"), files("a", "theirs"))).toBe("conflict");
    expect(yaml(files("b", "a"), files("a", "b"), files("a", "n", "b"))).toBe("conflict");
    expect(yaml(files("mine", "a"), files("a"), files("a", "theirs"))).toBe(files("mine", "a", "theirs"));
  });
});

describe("a compose file that each side left whole, and that together is not", () => {
  const base = "services:\n  a:\n    image: x\n  b:\n    image: y\n";
  const a = (more: string): string => base.replace("    image: x\n", `    image: x\n${more}`);
  const b = (more: string): string => `${base}${more}`;
  it.each<[string, string, string]>([
    ["needs a service that goes", a("    depends_on: [b]\n"), "services:\n  a:\n    image: x\n"],
    ["extends a service that goes", b("  mine:\n    extends: {service: b}\n"), "services:\n  a:\n    image: x\n"],
    [
      "needs a service that a profile switches off",
      b("    profiles: [dbg]\n"),
      a("    depends_on:\n      b:\n        condition: service_healthy\n"),
    ],
    ["needs each other", a("    depends_on: [b]\n"), b("    depends_on:\n      - a\n")],
    ["is on a network that goes", a("    networks: [n]\n"), base],
    ["mounts two things at one place", a("    volumes: [./t:/tmp]\n"), a("    tmpfs:\n      - /tmp:size=64m\n")],
    [
      "limits memory in two ways",
      a("    mem_limit: 1g\n"),
      a("    deploy:\n      resources:\n        limits:\n          memory: 2g\n"),
    ],
    ["has one container name twice", a("    container_name: c\n"), b("    container_name: c\n")],
    ["runs two of one name", a("    scale: 2\n"), a("    container_name: c\n")],
    [
      "is on the host's network and on another",
      a("    network_mode: host\n"),
      `${a("    networks:\n      - n\n")}networks:\n  n:\n`,
    ],
  ])("%s", (what, ours, other) => {
    const from = what.startsWith("is on a network that") ? `${base}networks:\n  n:\n` : base;
    const mine = from === base ? ours : `${ours}networks:\n  n:\n`;
    expect(yaml(mine, from, other)).toBe("conflict");
  });

  it("is not in the way of what was broken before, nor of what Compose accepts", () => {
    expect(yaml(a("    depends_on: [gone]\n"), base, b("    init: true\n"))).toContain("init: true");
    const limits = a("    deploy:\n      resources:\n        limits:\n          memory: 1g\n");
    expect(yaml(a("    mem_limit: 1g\n"), base, limits)).toContain("memory: 1g");
  });
});

describe(".env.template", () => {
  it.each<[string, string, string, string, Expected]>([
    ["adjacent variables", "A=2\nB=1\n", "A=1\nB=1\n", "A=1\nB=2\n", "A=2\nB=2\n"],
    ["one on both sides", "A=2\n", "A=1\n", "A=3\n", "conflict"],
    ["commented out there, used here", "A=9\n", "# A=1\n", "# A=2\n", "conflict"],
    ["new on both sides", "A=1\nN=1\n", "A=1\n", "A=1\nN=2\n", "conflict"],
    ["new on both sides, with spaces around the sign", "A=1\nN = 1\n", "A=1\n", "A=1\nN=2\n", "conflict"],
    [
      "new on both sides, and another one twice",
      "# A=1\nA=9\nN=1\n\nB=2\n",
      "# A=1\n\nB=2\n",
      "# A=1\n\nB=2\nN=2\n",
      "conflict",
    ],
    ["deleted here, nothing new", "B=1\n", "A=1\nB=1\n", "A=1\nB=2\n", "B=2\n"],
    ["no line end at the end, among CRLF", "A=1\r\nB=2", "A=1\nB=2\n", "A=1\nB=3\n", "A=1\r\nB=3"],
    [
      "a header that both would take along",
      "A=1\n\n# Keys\n\n# mine\nM=\n\n# open\nO=\n",
      "A=1\n\n# Keys\n\n# open\nO=\n",
      "A=1\n\n# Keys\n\n# azure\nZ=\n\n# open\nO=\n",
      "conflict",
    ],
  ])("%s", (_, ours, base, other, expected) => {
    check(".env.template", ours, base, other, expected);
  });
});

describe("lines", () => {
  it.each<[string, string, string, string, Expected]>([
    ["adjacent ones", "1\nB\n3\n", "1\n2\n3\n", "A\n2\n3\n", "A\nB\n3\n"],
    ["an insertion beside a line that was changed", "1\nnew\n2\n", "1\n2\n", "1\nB\n", "1\nnew\nB\n"],
    ["an insertion inside what was replaced", "1\nnew\n2\n3\n", "1\n2\n3\n", "x\n3\n", "conflict"],
    ["different insertions at one place", "1\nx\n", "1\n", "1\ny\n", "conflict"],
    ["the same insertion", "1\nx\n", "1\n", "1\nx\n", same],
    [
      "the same insertion beside a line that one side changed",
      "1\nX\np\nz\n",
      "1\np\nz\n",
      "1\nX\np2\nz\n",
      "conflict",
    ],
    ["different lines behind one that was changed", "1\np\nset -e\nz\n", "1\np\nz\n", "1\np2\nset +e\nz\n", "conflict"],
    ["deleted here, extended there", "if\nfi\n", "if\n a\n b\nfi\n", "if\n a\n b\n c\nfi\n", "conflict"],
    ["no line end at the end, among CRLF", "a\r\nz", "a\nz\n", "A\nz\n", "A\r\nz"],
  ])("%s", (_, ours, base, other, expected) => {
    check("x.sh", ours, base, other, expected);
  });

  it("can prefer theirs where no person wrote ours", () => {
    expect(merged("x.md", "1\nmine\n3\nm\n", "1\n2\n3\n", "1\ntheirs\n3\n", "theirs")).toBe("1\ntheirs\n3\nm\n");
    expect(merged("x.md", "1\na\nb\n3\n", "1\n2\n3\n", "1\n3\n", "theirs")).toBe("1\n3\n");
    expect(merged("compose.yaml", W("    a: 2\n    m: 1\n"), W("    a: 1\n"), W(""), "theirs")).toBe(W("    m: 1\n"));
    expect(merged(".env.template", "A=2\nM=1\n", "A=1\n", "A=3\n", "theirs")).toBe("A=3\nM=1\n");
  });
});
