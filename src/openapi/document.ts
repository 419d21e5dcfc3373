import { idempotencyKey } from '../http/idempotency_key.js';
import { defaultWaitSeconds } from '../http/poll_options.js';
import { flagWords } from '../http/request_options.js';
import { version } from '../version.js';
import { macaroonPrefix, subprotocol } from '../ws/handshake.js';
import { closing } from '../ws/socket.js';
import { otherMethods, problemResponses, problemsOf } from './operations.js';
import { problemCodes, type Schema, schemaRef, schemas } from './schemas.js';

/** The settings that decide what a client may send. */
export interface PublicLimits {
  readonly maxBodyBytes: number;
  readonly maxWaitMs: number;
  readonly maxResponseBytes: number;
  readonly resultTtlMs: number;
}

/** The OpenAPI 3.1 document of the relay's interface, made from the tables and patterns that requests are checked with. */
export function openApiDocument(limits: PublicLimits): Schema {
  return {
    'openapi': '3.1.0',
    'info': {
      title: 'export-relay',
      version,
      description:
        'The one way out for sandboxed apps: POST {id, uri, data} with a macaroon, and read the answer of the destination when you like. Errors are problem documents (RFC 9457) with a stable `code`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    'servers': [{ url: '/' }],
    'security': [{ apiKey: [] }, { basic: [] }],
    'paths': {
      '/export': {
        post: exportOperation(limits, false),
        ...otherMethods(['POST']),
      },
      '/lp/export': {
        post: exportOperation(limits, true),
        ...otherMethods(['POST']),
      },
      '/ws/export': { get: socketOperation(limits), ...otherMethods(['GET']) },
      '/openapi.json': {
        ...pageOperations('This document', 'application/json', problemsOf.page),
        ...otherMethods(['GET', 'HEAD']),
      },
      '/problems/{code}': {
        parameters: [
          {
            name: 'code',
            in: 'path',
            required: true,
            schema: { type: 'string' },
            description: problemCodes.join(', '),
          },
        ],
        ...pageOperations('What a problem means, and what to do', 'text/plain', problemsOf.problemPage),
        ...otherMethods(['GET', 'HEAD']),
      },
    },
    'x-other-paths': { responses: problemResponses(['not_found']) },
    'components': {
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'The macaroon.' },
        basic: { type: 'http', scheme: 'basic', description: 'The macaroon as user name.' },
      },
      schemas: schemas(),
    },
  };
}

function exportOperation(limits: PublicLimits, isLongPoll: boolean): Schema {
  const ttl = `Results stay readable for ${limits.resultTtlMs / 1000} seconds; of an answer at most ${limits.maxResponseBytes} bytes are kept.`;
  return {
    operationId: isLongPoll ? 'longPoll' : 'export',
    summary: isLongPoll
      ? 'Submit a job, cancel one, or wait for one to change'
      : 'Submit a job, cancel one, or ask about one',
    description: isLongPoll
      ? `As /export; a question about a known job is answered at once if it is Finished or its version is not the one in If-None-Match, and else when it changes or the wait is over. ${ttl}`
      : `Every request is answered at once. ${ttl}`,
    parameters: [...parameters, ...(isLongPoll ? waitParameters(limits) : [until])],
    requestBody: {
      required: true,
      description: `UTF-8, at most ${limits.maxBodyBytes} bytes. The media type is ignored.`,
      content: { 'application/json': { schema: schemaRef('ExportRequest') } },
    },
    responses: {
      200: {
        description: 'The job; for a dry run, what it would have been.',
        headers: {
          ETag: {
            description: 'The version of the job, for If-None-Match; absent from a dry run.',
            schema: { type: 'string', pattern: '^"\\d+"$' },
          },
        },
        content: { 'application/json': { schema: { oneOf: [schemaRef('Job'), schemaRef('DryRun')] } } },
      },
      ...problemResponses(isLongPoll ? problemsOf.longPoll : problemsOf.export),
    },
  };
}

function query(name: string, description: string, schema: Schema): Schema {
  return { name, in: 'query', description, schema };
}

function headerParameter(name: string, description: string, schema: Schema): Schema {
  return { name, in: 'header', description, schema };
}

const flag = { enum: [...flagWords.keys()] } as const;

const parameters: readonly Schema[] = [
  query('dry_run', 'Of a new job: run every check and queue nothing.', flag),
  query('events', 'Answer with every step the job took.', flag),
  headerParameter(
    'Idempotency-Key',
    'Of a new job: the same key and data lead to the same job, per owner and uri, as long as it is kept.',
    { type: 'string', pattern: idempotencyKey.source },
  ),
  headerParameter(
    'Traceparent',
    'Of a new job (W3C Trace Context): each attempt is a span of this trace. What is none is ignored.',
    { type: 'string' },
  ),
];

const until = query('until', 'Hold through intermediate states.', { const: 'Finished' });

function waitParameters({ maxWaitMs }: PublicLimits): readonly Schema[] {
  const maxSeconds = maxWaitMs / 1000;
  return [
    query(
      'timeout',
      `Longest wait in seconds, decimals allowed, clamped to 0 … ${maxSeconds}; what is no number means the default.`,
      { type: 'string', default: String(defaultWaitSeconds) },
    ),
    until,
    headerParameter('Prefer', 'wait=<seconds>, where there is no timeout.', { type: 'string' }),
    headerParameter('If-None-Match', 'The version that is known.', { type: 'string', examples: ['"2"'] }),
  ];
}

function socketOperation({ maxBodyBytes }: PublicLimits): Schema {
  return {
    'operationId': 'socket',
    'summary': 'Open a WebSocket: requests as frames, and every later change of their jobs pushed',
    'description': `A browser, which can set no header, offers the subprotocols ${subprotocol} and ${macaroonPrefix}<macaroon>. An Origin other than the relay's own has to be named by the operator.`,
    'responses': {
      101: {
        description: 'The socket is open.',
        headers: {
          'Upgrade': { required: true, schema: { const: 'websocket' } },
          'Sec-WebSocket-Protocol': {
            description: 'Where it was offered.',
            schema: { const: subprotocol },
          },
        },
      },
      ...problemResponses(problemsOf.socket),
    },
    'x-websocket': {
      client: schemaRef('ClientFrame'),
      server: { oneOf: [schemaRef('JobFrame'), schemaRef('DryRunFrame'), schemaRef('ProblemFrame')] },
      maxFrameBytes: maxBodyBytes,
      closeCodes: {
        ...Object.fromEntries(Object.values(closing).map(([code, reason]) => [code, reason])),
        1009: 'a frame is larger than maxFrameBytes',
      },
    },
  };
}

function pageOperations(
  summary: string,
  type: string,
  problems: Parameters<typeof problemResponses>[0],
): Schema {
  const refused = problemResponses(problems);
  const schema = type === 'application/json' ? { type: 'object' } : { type: 'string' };
  return {
    get: {
      summary,
      security: [],
      responses: { 200: { description: summary, content: { [type]: { schema } } }, ...refused },
    },
    head: {
      summary: `${summary}: the headers alone`,
      security: [],
      responses: { 200: { description: summary }, ...refused },
    },
  };
}
