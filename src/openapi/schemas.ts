import { maxUriLength } from '../egress/destination.js';
import {
  headerName,
  headerValue,
  maxHeaderBytes,
  maxHeaders,
  reservedHeaders,
  reservedName,
} from '../http/custom_headers.js';
import { maxPurposeLength, unfitForRecords } from '../http/export_request.js';
import { idempotencyKey } from '../http/idempotency_key.js';
import { problemKinds } from '../http/problem.js';
import { gatewayStatus } from '../http/view.js';
import { maxRefLength } from '../ws/frame.js';
import { jobErrorHelp, problemHelp, ruleHelp } from './help.js';

/** A JSON schema, draft 2020-12. */
export type Schema = Readonly<Record<string, unknown>>;

export type ProblemCode = keyof typeof problemKinds;

/** The codes, in the table's order. */
export const problemCodes = Object.keys(problemKinds).filter(
  (code): code is ProblemCode => code in problemKinds,
);

export function schemaRef(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** The name of a code's schema. */
export function problemSchemaName(code: ProblemCode): string {
  return `Problem_${code}`;
}

const uuid = { type: 'string', format: 'uuid' } as const;
const time = { type: 'string', format: 'date-time', description: 'RFC 3339, UTC, milliseconds.' } as const;
const states = ['Pending', 'Processing', 'Finished'] as const;

/** A case-insensitive pattern: JSON schemas have no flags. */
function anyCase(source: string): string {
  return source.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

const customHeaders: Schema = {
  type: 'object',
  description: `Sent to the destination; together at most ${maxHeaderBytes} bytes. Reserved: ${reservedHeaders.join(', ')}.`,
  maxProperties: maxHeaders,
  propertyNames: {
    pattern: headerName.source,
    not: { pattern: anyCase(reservedName) },
  },
  additionalProperties: { type: 'string', pattern: headerValue.source },
};

const submissionMembers: Readonly<Record<string, Schema>> = {
  id: { const: '', description: 'Empty: a new job.' },
  uri: {
    type: 'string',
    maxLength: maxUriLength,
    pattern: '^[hH][tT][tT][pP][sS]?:',
    description:
      'Where the data goes: an absolute https: URL (http: where the operator allows it), without user information, fragment, white space or backslash.',
  },
  data: {
    description: 'A JSON object or array, or a string that holds one. Delivered exactly as it is written.',
    anyOf: [{ type: 'object' }, { type: 'array' }, { type: 'string', contentMediaType: 'application/json' }],
  },
  headers: customHeaders,
  purpose: {
    type: 'string',
    maxLength: maxPurposeLength,
    not: { pattern: unfitForRecords.source },
    description: 'Why the data leaves, in one line.',
  },
};

const questionMembers: Readonly<Record<string, Schema>> = {
  id: { type: 'string', minLength: 1, description: 'The id of a known job; case is ignored.' },
  action: { const: 'cancel', description: 'Ends the job. Absent: asks about it.' },
};

const frameMembers: Readonly<Record<string, Schema>> = {
  ref: { type: 'string', maxLength: maxRefLength, description: 'Comes back in the answer.' },
  idempotency_key: { type: 'string', pattern: idempotencyKey.source },
  traceparent: { description: 'W3C Trace Context; what is none is ignored.' },
};

const submission: Schema = {
  type: 'object',
  required: ['id', 'uri', 'data'],
  properties: submissionMembers,
  not: { required: ['action'] },
};
const question: Schema = { type: 'object', required: ['id'], properties: questionMembers };

const errorCodes = Object.keys(gatewayStatus);

const extResponse: Schema = {
  oneOf: [
    { type: 'object', title: 'Until the job is Finished', maxProperties: 0 },
    {
      type: 'object',
      title: 'The destination answered',
      required: ['status', 'body', 'status_code', 'headers'],
      not: { required: ['error'] },
      properties: {
        status: { type: 'string', description: 'The code and its standard reason.', examples: ['200 OK'] },
        body: { type: 'string', description: 'Text; base64 where `encoding` says so.' },
        status_code: { type: 'integer', minimum: 100, maximum: 999 },
        headers: {
          type: 'object',
          properties: {
            'content-type': { type: 'string' },
            'location': { type: 'string' },
            'retry-after': { type: 'string' },
          },
        },
        encoding: { const: 'base64', description: 'Present where the body is not UTF-8.' },
        truncated: { const: true, description: 'Present where the body was cut or broke off.' },
      },
    },
    {
      type: 'object',
      title: 'The relay gave up',
      required: ['status', 'body', 'status_code', 'headers', 'error'],
      properties: {
        status: { type: 'string', examples: ['502 Bad Gateway'] },
        body: { const: '' },
        status_code: { enum: [...new Set(Object.values(gatewayStatus))] },
        headers: { type: 'object', maxProperties: 0 },
        error: {
          type: 'object',
          required: ['code', 'message', 'attempts'],
          properties: {
            code: {
              enum: errorCodes,
              description: Object.entries(jobErrorHelp)
                .map(([code, { means }]) => `\`${code}\`: ${means}`)
                .join('\n'),
            },
            message: { type: 'string' },
            attempts: { type: 'integer', minimum: 0 },
          },
        },
      },
    },
  ],
};

const jobMembers: Readonly<Record<string, Schema>> = {
  id: uuid,
  state: { enum: states },
  ext_response: extResponse,
  created_at: time,
  updated_at: time,
  attempts: { type: 'integer', minimum: 0, description: 'Attempts begun so far.' },
};
const jobRequired = Object.keys(jobMembers);

const dryRunMembers: Readonly<Record<string, Schema>> = {
  id: { const: '' },
  dry_run: {
    type: 'object',
    required: ['destination', 'addresses', 'caveats'],
    properties: {
      destination: { type: 'string', description: 'The uri, normalised.' },
      addresses: { type: 'array', items: { type: 'string' } },
      caveats: {
        type: 'array',
        items: { type: 'string' },
        description: 'Of the macaroon; all are satisfied.',
      },
    },
  },
};

const event: Schema = {
  type: 'object',
  required: ['at', 'state', 'detail'],
  properties: {
    at: time,
    state: { enum: states },
    attempt: { type: 'integer', minimum: 1 },
    detail: { type: 'string' },
  },
};

/** Members that some problems have beside those that all have. */
const ownMembers: Partial<Readonly<Record<ProblemCode, Readonly<Record<string, Schema>>>>> = {
  invalid_request: {
    errors: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
  caveat_not_satisfied: { caveat: { type: 'string', description: 'The caveat, as text.' } },
  destination_refused: {
    rule: {
      enum: Object.keys(ruleHelp),
      description: Object.entries(ruleHelp)
        .map(([rule, { means }]) => `\`${rule}\`: ${means}`)
        .join('\n'),
    },
  },
};

function problem(code: ProblemCode, more: Readonly<Record<string, Schema>> = {}): Schema {
  const { status, title } = problemKinds[code];
  const own = ownMembers[code] ?? {};
  const members: Readonly<Record<string, Schema>> = {
    type: { const: `/problems/${code}` },
    title: { const: title },
    status: { const: status },
    detail: { type: 'string' },
    code: { const: code },
    request_id: uuid,
    ...own,
  };
  const { means, todo } = problemHelp[code];
  return {
    type: 'object',
    description: `${means} ${todo}`,
    required: Object.keys(members),
    properties: { ...members, ...more },
  };
}

/** Every schema of the document, by its name. */
export function schemas(): Readonly<Record<string, Schema>> {
  const anyString = { type: 'string' } as const;
  return {
    Submission: submission,
    Question: question,
    ExportRequest: { oneOf: [schemaRef('Submission'), schemaRef('Question')] },
    Job: {
      type: 'object',
      required: jobRequired,
      properties: {
        ...jobMembers,
        events: { type: 'array', items: event, description: 'With `?events=true`: every step the job took.' },
      },
    },
    DryRun: { type: 'object', required: ['id', 'dry_run'], properties: dryRunMembers },
    ClientFrame: {
      oneOf: [
        {
          ...submission,
          properties: { ...submissionMembers, ...frameMembers, dry_run: { type: 'boolean' } },
        },
        {
          ...question,
          properties: { ...questionMembers, ...frameMembers, dry_run: { const: false } },
        },
      ],
    },
    JobFrame: {
      type: 'object',
      required: [...jobRequired, 'version'],
      properties: { ...jobMembers, version: { type: 'integer', minimum: 1 }, ref: anyString },
    },
    DryRunFrame: {
      type: 'object',
      required: ['id', 'dry_run'],
      properties: { ...dryRunMembers, ref: anyString },
    },
    ...Object.fromEntries(problemCodes.map((code) => [problemSchemaName(code), problem(code)])),
    ProblemFrame: {
      oneOf: frameProblems.map((code) =>
        problem(code, { ref: anyString, id: uuid, retry_after: { type: 'integer', minimum: 0 } }),
      ),
    },
  };
}

/** What a frame can be answered with. */
const frameProblems: readonly ProblemCode[] = [
  'malformed_json',
  'invalid_request',
  'caveat_not_satisfied',
  'destination_refused',
  'unknown_job',
  'idempotency_conflict',
  'lane_full',
  'queue_full',
  'too_many_waiters',
  'shutting_down',
  'storage_unavailable',
  'internal',
];
