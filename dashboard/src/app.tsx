import { Component, render } from 'preact';
import { Columns } from './columns';
import { Model } from './model';
import { Legend } from './legend';
import { listen } from './stream';

interface State { live: boolean; tick: number; service: string; detail: string }

class App extends Component<Record<string, never>, State> {
  override state: State = { live: false, tick: 0, service: '', detail: '' };
  private model = new Model();
  private close: () => void = () => undefined;
  private frame = 0;

  override componentDidMount(): void {
    this.close = listen('/v1/stream', {
      on_snapshot: (snapshot) => { this.model.reset(snapshot); this.draw(); },
      on_delta: (delta) => { this.model.apply(delta); this.draw(); },
      on_connection: (live) => this.setState({ live }),
    });
  }
  override componentWillUnmount(): void { this.close(); }

  // Many deltas within one frame are drawn once.
  private draw(): void {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.setState((state) => ({ tick: state.tick + 1 }));
    });
  }

  render() {
    const { live, service, detail } = this.state;
    const model = this.model;
    const nodes = [...model.nodes.values()];
    const down = nodes.filter((node) => node.state !== 'ready').length;
    const leader = nodes.find((node) => node.leader);
    const running = [...model.tasks.values()].filter((task) => task.state === 'running').length;
    return (
      <>
        <header>
          <h1>hive</h1>
          <span class="cluster">{model.cluster}</span>
          <span><b id="node-count">{nodes.length}</b> nodes{down > 0 && <em class="bad"> {down} not ready</em>}</span>
          <span><b>{model.services.size}</b> services</span>
          <span><b id="running-count">{running}</b> tasks running</span>
          <span class="leader">leader {leader ? leader.hostname : 'none'}</span>
          <span id="connection" class={live && !model.stale ? 'live' : 'lost'}>
            {!live ? 'reconnecting' : model.stale ? `stale for ${Math.round(model.age_ms / 1000)} s` : 'live'}
          </span>
        </header>
        <Legend services={[...model.services.values()]} tasks={model.tasks} chosen={service}
          on_choose={(id) => this.setState({ service: id === service ? '' : id })} />
        <Columns model={model} service={service} chosen={detail}
          on_choose={(id) => this.setState({ detail: id === detail ? '' : id })} />
      </>
    );
  }
}

const root = document.getElementById('app');
if (root) render(<App />, root);
