import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Aborted once a client can be expected to have gone: its connection is closed, or it has closed its own side of it,
 * which a client that closes looks like. One that only says "no more requests" still gets its answer, only sooner.
 *
 * The connection is watched, not the response: of pipelined requests only the first has a response that hears of it.
 */
export function departureOf(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const { socket } = request;
  const departure = new AbortController();
  const leave = (): void => {
    forget();
    departure.abort();
  };
  const forget = (): void => {
    socket.off('end', leave).off('close', leave);
  };
  if (socket.readableEnded || socket.destroyed) {
    departure.abort();
  } else {
    socket.on('end', leave).on('close', leave);
    response.once('finish', forget);
  }
  return departure.signal;
}
