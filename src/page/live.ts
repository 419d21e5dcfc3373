import type { Summary } from './wire.js';

/** How well the page is connected to the relay. */
export type Connection = 'live' | 'lost';

export interface LiveListener {
  readonly onSummary: (summary: Summary) => void;
  readonly onConnection: (connection: Connection) => void;
}

/** Between two tries to get back what a browser does not bring back by itself. */
const reopenAfterMs = 5000;

/** Listens for updates for as long as the page is open. */
export function listen({ onSummary, onConnection }: LiveListener): void {
  const source = new EventSource('/api/live');
  source.addEventListener('open', () => onConnection('live'));
  source.addEventListener('message', ({ data }: MessageEvent<string>) =>
    onSummary(JSON.parse(data) as Summary),
  );
  source.addEventListener('error', () => {
    onConnection('lost');
    // A connection that broke is opened again by the browser; one that was refused is not.
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => listen({ onSummary, onConnection }), reopenAfterMs);
  });
}

/** An answer of the relay's own API. */
export async function fetchJson<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  const response = await fetch(path, signal === undefined ? {} : { signal });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as Answer;
}
