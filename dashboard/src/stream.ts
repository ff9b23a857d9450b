// The live connection: server-sent events, no polling. EventSource reconnects by itself; each
// connection begins with a whole snapshot, so nothing is lost in between.
import type { Delta, Snapshot } from './model';

export interface Listener {
  on_snapshot(snapshot: Snapshot): void;
  on_delta(delta: Delta): void;
  on_connection(live: boolean): void;
}

export function listen(url: string, listener: Listener): () => void {
  let source: EventSource | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let wait_ms = 500;
  const open = () => {
    source = new EventSource(url);
    source.addEventListener('snapshot', (event) => {
      wait_ms = 500;
      listener.on_connection(true);
      listener.on_snapshot(JSON.parse((event as MessageEvent<string>).data) as Snapshot);
    });
    source.addEventListener('delta', (event) => {
      listener.on_delta(JSON.parse((event as MessageEvent<string>).data) as Delta);
    });
    source.onerror = () => {
      listener.on_connection(false);
      // A refused connection (HTTP error) closes an EventSource for good: open a new one.
      if (source?.readyState === EventSource.CLOSED) {
        retry = setTimeout(open, wait_ms);
        wait_ms = Math.min(wait_ms * 2, 5000);
      }
    };
  };
  open();
  return () => {
    clearTimeout(retry);
    source?.close();
  };
}
