/** One offending field of a request: its name, and what was expected of it. */
export interface ProblemField {
  readonly field: string;
  readonly message: string;
}

/** What the relay, or something before it, answered instead of what was asked for. */
export interface Problem {
  /** The HTTP status. */
  readonly status: number;
  /** What went wrong, for programs: the relay's code, such as `caveat_not_satisfied`, else `http_<status>`. */
  readonly code: string;
  readonly title: string;
  /** What went wrong, for people. */
  readonly detail: string;
  /** Names the request in the relay's log. */
  readonly requestId?: string;
  /** The offending fields, where the code is `invalid_request`. */
  readonly errors?: readonly ProblemField[];
  /** The caveat that is not satisfied, where the code is `caveat_not_satisfied`. */
  readonly caveat?: string;
  /** The rule that refuses the destination, where the code is `destination_refused`. */
  readonly rule?: string;
  /** The document as it came; undefined where it was none. */
  readonly document?: Readonly<Record<string, unknown>>;
}

/** How much of an answer that is no problem document stands in its place. */
const maxQuoted = 200;

/** Reads a problem document (RFC 9457); makes one out of any other answer, such as a proxy's page. */
export function problemOf(status: number, text: string): Problem {
  const document = parseObject(text);
  const code = textMember(document, 'code') ?? `http_${status}`;
  const quoted = text.trim().slice(0, maxQuoted);
  const requestId = textMember(document, 'request_id');
  const caveat = textMember(document, 'caveat');
  const rule = textMember(document, 'rule');
  const errors = fieldsOf(document?.['errors']);
  return {
    status,
    code,
    title: textMember(document, 'title') ?? `HTTP status ${status}`,
    detail: textMember(document, 'detail') ?? (quoted === '' ? 'The answer was empty.' : quoted),
    ...(requestId === undefined ? {} : { requestId }),
    ...(errors === undefined ? {} : { errors }),
    ...(caveat === undefined ? {} : { caveat }),
    ...(rule === undefined ? {} : { rule }),
    ...(document === undefined ? {} : { document }),
  };
}

/** The object that a text holds as JSON, if it does. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textMember(
  object: Readonly<Record<string, unknown>> | undefined,
  name: string,
): string | undefined {
  const value = object?.[name];
  return typeof value === 'string' ? value : undefined;
}

function fieldsOf(value: unknown): readonly ProblemField[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.filter(isObject).map((entry) => ({
    field: textMember(entry, 'field') ?? '',
    message: textMember(entry, 'message') ?? '',
  }));
}
