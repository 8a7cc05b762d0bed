import { Server } from 'node:net';

/** Loaded into the Playground before its own code, to hold it to two promises of the demo. */

// However the sandbox ends, kill -9 included, its end of this pipe closes.
process.stdin.on('end', () => process.exit()).resume();

// It would listen on every interface, and whoever reaches it speaks to the bot as an Admin: loopback only.
const listen = Server.prototype.listen;
Server.prototype.listen = function listenOnLoopback(this: Server, ...given: unknown[]): Server {
  const [first, second] = given;
  const args =
    typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first))
      ? [Number(first), '127.0.0.1', ...given.slice(typeof second === 'string' ? 2 : 1)]
      : typeof first === 'object' && first !== null && 'port' in first
        ? [{ ...first, host: '127.0.0.1' }, ...given.slice(1)]
        : given;
  return Reflect.apply(listen, this, args) as Server;
};
