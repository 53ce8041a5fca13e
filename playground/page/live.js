/** A person's id in, live frames out: one WebSocket that comes back by itself after every interruption. */

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 3000;

/**
 * Opens the live socket. `onOpen` runs at each (re)connection: frames are not replayed, so fetch again there.
 * With `wire` the frames of the Wire view come too. Returns {close}.
 */
export function connectLive(as, { onOpen, onFrame, onLost }, { wire = false } = {}) {
  let socket = null;
  let retryMs = FIRST_RETRY_MS;
  let timer = 0;
  let closed = false;

  function open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}/_/live?as=${encodeURIComponent(as)}${wire ? "&wire=1" : ""}`);
    socket.onopen = () => {
      retryMs = FIRST_RETRY_MS;
      onOpen();
    };
    socket.onmessage = (event) => closed || onFrame(JSON.parse(event.data));
    socket.onclose = () => {
      if (closed) return;
      onLost();
      timer = setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    };
  }

  open();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      socket.close();
    },
  };
}
