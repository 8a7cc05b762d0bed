/**
 * The two files of undici that we load, with the types of its index. The index reads fetch, websockets, caches and mocks
 * as well, 100 ms of the start in each of the two threads; the rest of undici is not used here.
 */
declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici';
  export default Agent;
}

declare module 'undici/lib/global.js' {
  export { getGlobalDispatcher, setGlobalDispatcher } from 'undici';
}
