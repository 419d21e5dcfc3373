import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { IncomingBodies } from '../http/incoming.js';

/** Around what a client's ping or pong carries: its head and the mask (RFC 6455, 5.2). */
const controlFrameBytes = 6;

/**
 * Counts what a client has begun to send and not ended among the bodies that are on their way in: a frame, or the
 * fragments of one, lies in memory until it is whole.
 */
export function countArrivingFrame(
  ws: WebSocket,
  connection: Socket,
  incoming: IncomingBodies,
  giveUp: () => void,
): void {
  let settledBytes = connection.bytesRead;
  ws.on('message', () => (settledBytes = connection.bytesRead));
  // They may come between fragments, and end nothing.
  const onControl = (data: Buffer): void => void (settledBytes += data.length + controlFrameBytes);
  ws.on('ping', onControl).on('pong', onControl);
  // Behind the library's own listener, which has taken apart by then what came.
  connection.on('data', () => {
    const bytes = connection.bytesRead - settledBytes;
    if (bytes > 0) incoming.note(giveUp, bytes);
    else incoming.forget(giveUp);
  });
  ws.once('close', () => incoming.forget(giveUp));
}
