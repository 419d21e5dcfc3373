import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { leavesRoom, mostOf, Shares } from '../job/shares.js';

/**
 * Bounds the open connections of a server. Whoever opens as many as there may be shuts out others at the same address,
 * and not those elsewhere: for addresses that have few there are some more.
 */
export function boundConnections(server: Server, bound: number, onRefused: (code: string) => void): void {
  const ofAddress = new Shares();
  let open = 0;
  // Beyond this the system closes them before anything is made for them.
  server.maxConnections = Math.floor(mostOf(bound));
  server.on('drop', () => onRefused('max_connections'));
  server.on('connection', (socket: Socket) => {
    // Of one that has gone already it is not known any more.
    const address = socket.remoteAddress ?? '';
    if (!leavesRoom(open + 1, ofAddress.of(address) + 1, bound)) {
      onRefused('max_connections');
      socket.destroy();
      return;
    }
    open += 1;
    ofAddress.add(address, 1);
    socket.once('close', () => {
      open -= 1;
      ofAddress.add(address, -1);
    });
  });
}
