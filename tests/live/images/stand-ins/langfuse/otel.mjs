// OpenTelemetry spans (JSON encoding) into Langfuse observations.
const TYPES = new Set([
  "SPAN",
  "GENERATION",
  "EVENT",
  "AGENT",
  "TOOL",
  "CHAIN",
  "RETRIEVER",
  "EVALUATOR",
  "EMBEDDING",
  "GUARDRAIL",
]);

function plain(value) {
  if (!value) return null;
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plain);
  if (value.kvlistValue) return attributes(value.kvlistValue.values);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? null;
}

function attributes(list) {
  return Object.fromEntries((list ?? []).map(({ key, value }) => [key, plain(value)]));
}

// Hex by the OpenTelemetry specification; protobuf's own JSON writes base64.
function hexId(text, bytes) {
  if (typeof text !== "string" || text === "") return null;
  if (new RegExp(`^[0-9a-f]{${bytes * 2}}$`, "i").test(text)) return text.toLowerCase();
  const decoded = Buffer.from(text, "base64");
  return decoded.length === bytes ? decoded.toString("hex") : null;
}

function time(nanoseconds) {
  if (nanoseconds === undefined || nanoseconds === null || !/^\d+$/.test(String(nanoseconds))) return null;
  return new Date(Number(BigInt(nanoseconds) / 1_000_000n)).toISOString();
}

const strings = (value) =>
  value === undefined || value === null ? null : typeof value === "string" ? value : JSON.stringify(value);

/** A message if the request is no OTLP traces request, else undefined. */
export function problemWith(body) {
  if (!Array.isArray(body?.resourceSpans)) return "resourceSpans must be an array";
  for (const resource of body.resourceSpans) {
    for (const scope of resource.scopeSpans ?? []) {
      for (const span of scope.spans ?? []) {
        if (!hexId(span.traceId, 16) || !hexId(span.spanId, 8))
          return "traceId must be 16 bytes and spanId 8 bytes, in hex";
        if (!time(span.startTimeUnixNano)) return "startTimeUnixNano is missing";
      }
    }
  }
  return undefined;
}

export function observationsOf(body, projectId, receivedAt) {
  const found = [];
  for (const resource of body.resourceSpans) {
    const shared = attributes(resource.resource?.attributes);
    for (const scope of resource.scopeSpans ?? []) {
      for (const span of scope.spans ?? []) {
        const own = attributes(span.attributes);
        const get = (...names) =>
          names.map((name) => own[name] ?? shared[name]).find((value) => value !== undefined && value !== null) ?? null;
        const parent = hexId(span.parentSpanId, 8);
        const [start, end] = [time(span.startTimeUnixNano), time(span.endTimeUnixNano)];
        const type = String(get("langfuse.observation.type") ?? "span").toUpperCase();
        found.push({
          id: hexId(span.spanId, 8),
          traceId: hexId(span.traceId, 16),
          startTime: start,
          endTime: end,
          projectId,
          parentObservationId: parent,
          type: TYPES.has(type) ? type : "SPAN",
          name: span.name ?? null,
          level: get("langfuse.observation.level") ?? (span.status?.code === 2 ? "ERROR" : "DEFAULT"),
          statusMessage: get("langfuse.observation.status_message") ?? span.status?.message ?? null,
          version: get("langfuse.version", "service.version"),
          environment: get("langfuse.environment", "deployment.environment.name") ?? "default",
          bookmarked: false,
          public: false,
          userId: get("user.id", "langfuse.user.id"),
          sessionId: get("session.id", "langfuse.session.id"),
          isRootObservation: parent === null,
          completionStartTime: null,
          createdAt: receivedAt,
          updatedAt: receivedAt,
          input: strings(get("langfuse.observation.input", "input.value", "gen_ai.prompt")),
          output: strings(get("langfuse.observation.output", "output.value", "gen_ai.completion")),
          metadata: { attributes: own, resourceAttributes: shared, scope: { name: scope.scope?.name ?? null } },
          providedModelName: get("langfuse.observation.model.name", "gen_ai.request.model"),
          internalModelId: null,
          modelParameters: null,
          usageDetails: {},
          costDetails: {},
          totalCost: null,
          usagePricingTierName: null,
          promptId: null,
          promptName: null,
          promptVersion: null,
          latency: end ? (Date.parse(end) - Date.parse(start)) / 1000 : null,
          timeToFirstToken: null,
          tags: [].concat(get("langfuse.trace.tags") ?? []),
          release: get("langfuse.release"),
          traceName: get("langfuse.trace.name") ?? (parent === null ? (span.name ?? null) : null),
        });
      }
    }
  }
  return found;
}
