import { corsExposedHeaders, corsRequestHeaders } from '../http/cors.js';
import { problemKinds } from '../http/problem.js';
import { type ProblemCode, problemSchemaName, type Schema, schemaRef } from './schemas.js';

/** What can go wrong before anybody looks at what was asked for. */
const always: readonly ProblemCode[] = [
  'malformed_request',
  'request_timeout',
  'headers_too_large',
  'internal',
];

const withMacaroon: readonly ProblemCode[] = [
  'missing_macaroon',
  'invalid_macaroon',
  'caveat_not_satisfied',
  'no_secret',
];

const withBody: readonly ProblemCode[] = [
  'malformed_json',
  'invalid_request',
  'destination_refused',
  'unknown_job',
  'body_too_large',
  'unsupported_media_type',
  'idempotency_conflict',
  'lane_full',
  'queue_full',
  'shutting_down',
  'storage_unavailable',
];

/** What each operation may answer beside its success. */
export const problemsOf = {
  export: [...always, ...withMacaroon, ...withBody],
  longPoll: [...always, ...withMacaroon, ...withBody, 'too_many_waiters'],
  socket: [
    ...always,
    ...withMacaroon,
    'invalid_request',
    'origin_not_allowed',
    'upgrade_required',
    'shutting_down',
  ],
  page: always,
  problemPage: [...always, 'not_found'],
} as const satisfies Record<string, readonly ProblemCode[]>;

/** Problem responses by status: each with the documents it can hold, and the headers that come with them. */
export function problemResponses(codes: readonly ProblemCode[]): Readonly<Record<string, Schema>> {
  const statuses = [...new Set(codes.map((code) => problemKinds[code].status))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => {
      const here = codes.filter((code) => problemKinds[code].status === status);
      return [String(status), problemResponse(here)];
    }),
  );
}

function problemResponse(codes: readonly ProblemCode[]): Schema {
  const headers = Object.assign(
    {},
    ...codes.map((code) => headersOf[problemKinds[code].status] ?? {}),
  ) as Schema;
  return {
    description: codes.map((code) => `\`${code}\`: ${problemKinds[code].title}.`).join('\n'),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    content: {
      'application/problem+json': {
        schema: { oneOf: codes.map((code) => schemaRef(problemSchemaName(code))) },
      },
    },
  };
}

function header(description: string, schema: Schema): Schema {
  return { description, required: true, schema };
}

const retryAfter = {
  'Retry-After': header('Whole seconds after which trying again makes sense.', {
    type: 'string',
    pattern: '^\\d+$',
  }),
};

/** Headers by status, which say what the status alone does not. */
const headersOf: Readonly<Record<number, Readonly<Record<string, Schema>>>> = {
  401: { 'WWW-Authenticate': header('How to authenticate.', { const: 'Macaroon' }) },
  405: { Allow: header('The methods that the path takes.', { type: 'string' }) },
  426: {
    'Upgrade': header('What to upgrade to.', { const: 'websocket' }),
    'Sec-WebSocket-Version': header('The version that the relay speaks.', { const: '13' }),
  },
  429: retryAfter,
  503: retryAfter,
};

/** What any other method of a path gets, and what a browser asks before a page of another origin may call. */
export function otherMethods(allow: readonly string[]): Readonly<Record<string, Schema>> {
  const refused = problemResponses(['method_not_allowed']);
  return {
    'options': {
      summary: 'A browser asks whether a page may call (CORS)',
      description: `Origins are named by the operator with --cors-origin; there are none by default. To pages of those, every answer has Access-Control-Allow-Origin and Access-Control-Expose-Headers: ${corsExposedHeaders.join(', ')}.`,
      security: [],
      responses: {
        204: {
          description: 'To a preflight from an origin that is named.',
          headers: {
            'Access-Control-Allow-Origin': header('The origin.', { type: 'string' }),
            'Access-Control-Allow-Methods': header('Methods.', { type: 'string' }),
            'Access-Control-Allow-Headers': header('Headers.', { const: corsRequestHeaders.join(', ') }),
            'Access-Control-Max-Age': header('Seconds.', { type: 'string', pattern: '^\\d+$' }),
            'Access-Control-Allow-Private-Network': {
              description: 'Where the browser asked for it.',
              schema: { const: 'true' },
            },
          },
        },
        ...refused,
      },
    },
    'x-other-methods': { allow, responses: refused },
  };
}
