import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { IncomingHttpHeaders } from 'node:http';

type Node = Readonly<Record<string, unknown>>;

interface Response {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean; readonly schema: Node }>>;
  readonly content?: Readonly<Record<string, { readonly schema: Node }>>;
}
type Responses = Readonly<Record<string, Response>>;
interface Operation {
  readonly responses: Responses;
}
type Path = Readonly<Record<string, Operation | undefined>>;

export interface Document {
  readonly 'paths': Readonly<Record<string, Path>>;
  readonly 'components': { readonly schemas: Readonly<Record<string, Node>> };
  readonly 'x-other-paths': Operation;
}

/** An answer of the relay, however it was got. */
export interface Answered {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Headers that say something about this interface; others belong to HTTP itself. */
const telling = [
  'etag',
  'allow',
  'retry-after',
  'www-authenticate',
  'upgrade',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-allow-private-network',
  'access-control-max-age',
];

/** Holds answers against an OpenAPI document, and notes what of the document has been seen. */
export class Contract {
  readonly #document: Document;
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();
  readonly seen = new Set<string>();

  constructor(document: Document) {
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: false, formats: { uuid, 'date-time': dateTime } });
    // Readers may meet members they do not know; the relay may not send any that the document does not.
    this.#ajv.addSchema({ ...(closed(document) as Node), $id: 'closed' });
    this.#ajv.addSchema({ ...document, $id: 'open' });
  }

  /** Whether a request's body is one that the document allows. */
  allows(schema: string, value: unknown): boolean {
    return this.#validate(`open#/components/schemas/${schema}`, value) === undefined;
  }

  /** What is wrong with a value that the relay sent, by the name of its schema. */
  mistakeIn(schema: string, value: unknown): string | undefined {
    return this.#validate(`closed#/components/schemas/${schema}`, value);
  }

  /** What is undocumented about an answer, or `undefined`. */
  undocumented(answer: Answered): string | undefined {
    const { status, headers, text } = answer;
    const found = this.#responseOf(answer);
    if (found === undefined) return `no ${answer.method} ${answer.path} → ${status}`;
    const { response, pointer } = found;
    const type = headers['content-type']?.split(';', 1)[0];
    const stray = telling.filter(
      (name) => headers[name] !== undefined && !(name in lowerCase(response.headers)),
    );
    if (stray.length > 0) return `${pointer}: undocumented headers ${stray.join()}`;
    for (const [name, { required, schema }] of Object.entries(lowerCase(response.headers))) {
      if (headers[name] === undefined && required === true) return `${pointer}: no header ${name}`;
      if (headers[name] !== undefined && !this.#ajv.validate(schema, headers[name]))
        return `${pointer}: header ${name}`;
    }
    if (text === '') return undefined;
    if (type === undefined || response.content?.[type] === undefined)
      return `${pointer}: content type ${type ?? '-'}`;
    const body: unknown = type.endsWith('json') ? JSON.parse(text) : text;
    if (typeof body === 'object' && body !== null && 'code' in body)
      this.seen.add(`${pointer} ${String(body.code)}`);
    else this.seen.add(pointer);
    const at = `closed#${pointer}/content/${escaped(type)}/schema`;
    return this.#validate(at, body);
  }

  /** Everything the document says can be answered, as `seen` notes it. */
  documented(): readonly string[] {
    const { paths } = this.#document;
    const everywhere = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, operation]) =>
        Array.isArray(operation) || method === 'head' || operation === undefined
          ? []
          : outcomes(`/paths/${escaped(path)}/${method}/responses`, operation.responses),
      ),
    );
    return [
      ...everywhere,
      ...outcomes('/x-other-paths/responses', this.#document['x-other-paths'].responses),
    ];
  }

  #responseOf({ method, path, status }: Answered): { response: Response; pointer: string } | undefined {
    const template =
      path in this.#document.paths ? path : path.replace(/^\/problems\/\w+$/, '/problems/{code}');
    const item = this.#document.paths[template];
    const name = item?.[method.toLowerCase()] === undefined ? 'x-other-methods' : method.toLowerCase();
    const operation = item === undefined ? this.#document['x-other-paths'] : item[name];
    const base = item === undefined ? '/x-other-paths' : `/paths/${escaped(template)}/${name}`;
    const response = operation?.responses[String(status)];
    return response === undefined ? undefined : { response, pointer: `${base}/responses/${status}` };
  }

  #validate(uri: string, value: unknown): string | undefined {
    const known = this.#validators.get(uri);
    const validate = known ?? this.#ajv.compile({ $ref: uri });
    this.#validators.set(uri, validate);
    return validate(value) ? undefined : `${uri}: ${this.#ajv.errorsText(validate.errors)}`;
  }
}

function outcomes(base: string, responses: Responses): readonly string[] {
  return Object.entries(responses).flatMap(([status, { content = {} }]) => {
    const schema = content['application/problem+json']?.schema;
    if (schema === undefined)
      return status === '101' || Object.keys(content).length === 0 ? [] : [`${base}/${status}`];
    const codes = schema['oneOf'] as readonly { readonly $ref: string }[];
    return codes.map(({ $ref }) => `${base}/${status} ${$ref.replace(/^.*Problem_/, '')}`);
  });
}

function lowerCase(headers: Response['headers'] = {}): NonNullable<Response['headers']> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Every schema with members admits no others. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const members = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
  const isSchema =
    members['type'] === 'object' && 'properties' in members && !('additionalProperties' in members);
  return isSchema ? { ...members, additionalProperties: false } : members;
}

function escaped(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function uuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

function dateTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text);
}
