import { Component } from 'preact';
import { condition, hue, image_version, type Model, type Node, type Task } from './model';

const kNone: Task[] = [];

interface Props { model: Model; service: string; chosen: string; on_choose(id: string): void }

// Nodes as columns: managers first, then by name; tasks without a node in a column of their own.
export function Columns({ model, service, chosen, on_choose }: Props) {
  const nodes = [...model.nodes.values()].sort((a, b) =>
    Number(b.role === 'manager') - Number(a.role === 'manager') ||
    a.hostname.localeCompare(b.hostname, undefined, { numeric: true }));
  const waiting = model.tasks_by_node.get('') ?? kNone;
  const dense = nodes.length > 12;
  return (
    <main class={dense ? 'dense' : ''}>
      {nodes.map((node) => (
        <Column key={node.id} node={node} tasks={model.tasks_by_node.get(node.id) ?? kNone}
          model={model} service={service} chosen={chosen} on_choose={on_choose} />
      ))}
      {waiting.length > 0 &&
        <Column key="waiting" node={null} tasks={waiting} model={model} service={service}
          chosen={chosen} on_choose={on_choose} />}
    </main>
  );
}

interface ColumnProps extends Props { node: Node | null; tasks: Task[] }

class Column extends Component<ColumnProps> {
  // Objects are replaced, never changed in place: identity tells whether there is anything to draw.
  override shouldComponentUpdate(next: ColumnProps): boolean {
    const now = this.props;
    return next.node !== now.node || next.tasks !== now.tasks || next.service !== now.service ||
      next.chosen !== now.chosen;
  }
  render() {
    const { node, tasks, model, service, chosen, on_choose } = this.props;
    const shown = service ? tasks.filter((task) => task.service_id === service) : tasks;
    return (
      <section class={node ? `${node.state} ${node.availability}` : 'waiting'}
        data-node={node?.hostname ?? ''}>
        <h2 title={node ? `${node.id} ${node.address ?? ''} engine ${node.engine_version ?? ''}` : ''}>
          {node ? node.hostname : 'waiting for a node'}
          {node?.leader && <abbr title="Swarm's leader">leader</abbr>}
        </h2>
        {node && <p>
          {node.role} <span class="state">{node.state}</span>
          {node.availability !== 'active' && <em> {node.availability}</em>}
          <small> {tasks.length}</small>
        </p>}
        <ul>{shown.map((task) => (
          <Chip key={task.id} task={task} model={model} chosen={chosen === task.id} on_choose={on_choose} />
        ))}</ul>
      </section>
    );
  }
}

interface ChipProps { task: Task; model: Model; chosen: boolean; on_choose(id: string): void }

function Chip({ task, model, chosen, on_choose }: ChipProps) {
  const service = model.services.get(task.service_id);
  const name = service ? service.name : task.service_id.slice(0, 8);
  const label = `${name}.${task.slot ? task.slot : task.node_id.slice(0, 6)}`;
  const version = image_version(task.image);
  const stats = model.stats.get(task.id);
  const why = task.error || task.message || '';
  return (
    <li class={condition(task)} style={`--hue:${hue(name)}`} data-task={task.id} data-version={version}
      data-state={task.state} title={`${label} ${version}\n${task.state}${task.health ? `, ${task.health}` : ''}\n${why}`}
      onClick={() => on_choose(task.id)}>
      <b>{label}</b><span>{version}</span>
      <i>{task.health && task.state === 'running' ? task.health : task.state}</i>
      {stats && <small>{stats.rate ?? 0}/s {stats.in_flight ?? 0} open</small>}
      {chosen && <p>{task.id}<br />{task.image}<br />{task.state} (desired {task.desired})<br />{why}</p>}
    </li>
  );
}
