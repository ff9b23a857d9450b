// The cluster as the controller's stream sends it (docs/api.md): one snapshot, then deltas in which
// a value replaces the object of that id and null removes it.

export interface Node {
  id: string; hostname: string; role: string; availability: string; state: string;
  leader?: boolean; address?: string; engine_version?: string; nano_cpus?: number;
  memory_bytes?: number;
}
export interface Service {
  id: string; name: string; image: string; global?: boolean; replicas?: number;
  update_state?: string; update_message?: string;
}
export interface Task {
  id: string; service_id: string; node_id: string; slot?: number; image: string; state: string;
  desired: string; message?: string; error?: string; health?: string;
}
export interface TaskStats { in_flight?: number; rate?: number; response_time_ms?: number }

type Table<T> = Record<string, T>;
export interface Snapshot {
  cluster?: string; revision?: number; stale?: boolean; age_ms?: number;
  nodes: Table<Node>; services: Table<Service>; tasks: Table<Task>; stats?: Table<TaskStats>;
}
type Changes<T> = Record<string, T | null>;
export interface Delta {
  cluster?: string; revision?: number; stale?: boolean; age_ms?: number;
  nodes?: Changes<Node>; services?: Changes<Service>; tasks?: Changes<Task>;
  stats?: Changes<TaskStats>;
}

function merge<T>(into: Map<string, T>, changes: Changes<T> | undefined): string[] {
  if (!changes) return [];
  for (const [id, value] of Object.entries(changes)) {
    if (value === null) into.delete(id);
    else into.set(id, value);
  }
  return Object.keys(changes);
}

// All state of the page. tasks_by_node is kept beside the tasks, with a new array for each node that
// changed and the old array for every other: a column whose array is the same is not drawn again.
export class Model {
  cluster = '';
  stale = false;
  age_ms = 0;
  nodes = new Map<string, Node>();
  services = new Map<string, Service>();
  tasks = new Map<string, Task>();
  stats = new Map<string, TaskStats>();
  tasks_by_node = new Map<string, Task[]>();

  reset(snapshot: Snapshot): void {
    this.nodes = new Map(Object.entries(snapshot.nodes ?? {}));
    this.services = new Map(Object.entries(snapshot.services ?? {}));
    this.tasks = new Map(Object.entries(snapshot.tasks ?? {}));
    this.stats = new Map(Object.entries(snapshot.stats ?? {}));
    this.header(snapshot);
    this.tasks_by_node = new Map();
    for (const task of this.tasks.values()) {
      const column = this.tasks_by_node.get(task.node_id);
      if (column) column.push(task);
      else this.tasks_by_node.set(task.node_id, [task]);
    }
    for (const column of this.tasks_by_node.values()) this.sort(column);
  }

  apply(delta: Delta): void {
    this.header(delta);
    merge(this.nodes, delta.nodes);
    merge(this.services, delta.services);
    merge(this.stats, delta.stats);
    const touched = new Set<string>();
    for (const id of Object.keys(delta.tasks ?? {})) {
      const before = this.tasks.get(id);
      if (before) touched.add(before.node_id);
    }
    merge(this.tasks, delta.tasks);
    for (const task of Object.values(delta.tasks ?? {})) if (task) touched.add(task.node_id);
    for (const id of Object.keys(delta.stats ?? {})) {
      const task = this.tasks.get(id);
      if (task) touched.add(task.node_id);
    }
    for (const node of touched) {
      const changed = new Set(Object.keys(delta.tasks ?? {}));
      const kept = (this.tasks_by_node.get(node) ?? []).filter(
        (task) => !changed.has(task.id) && this.tasks.has(task.id));
      for (const id of changed) {
        const task = this.tasks.get(id);
        if (task && task.node_id === node) kept.push(task);
      }
      this.sort(kept);
      this.tasks_by_node.set(node, kept);
    }
  }

  private header(update: Delta): void {
    if (update.cluster !== undefined) this.cluster = update.cluster;
    if (update.stale !== undefined) this.stale = update.stale;
    if (update.age_ms !== undefined) this.age_ms = update.age_ms;
  }

  private sort(column: Task[]): void {
    const name = (task: Task) => this.services.get(task.service_id)?.name ?? task.service_id;
    column.sort((a, b) => name(a).localeCompare(name(b)) || (a.slot ?? 0) - (b.slot ?? 0) ||
      a.id.localeCompare(b.id));
  }
}

// "registry.hive:5001/hive-tomcat:1.0@sha256:..." -> "1.0"; without a tag the digest's start.
export function image_version(image: string): string {
  const [name, digest] = image.split('@');
  const last = (name ?? '').split('/').pop() ?? '';
  const colon = last.lastIndexOf(':');
  if (colon >= 0) return last.slice(colon + 1);
  return digest ? digest.replace('sha256:', '').slice(0, 7) : 'latest';
}

// One of the words that the style sheet colours: ok, starting, stopping, bad.
export function condition(task: Task): string {
  if (task.health === 'unhealthy') return 'bad';
  if (task.desired !== 'running' && task.desired !== 'ready' && task.desired !== 'complete') {
    return task.state === 'running' ? 'stopping' : 'gone';
  }
  if (task.state === 'running') return task.health === 'starting' ? 'starting' : 'ok';
  if (task.state === 'complete') return 'gone';
  if (['failed', 'rejected', 'orphaned'].includes(task.state)) return 'bad';
  return 'starting';
}

// A service's colour: the same on every page load and for every viewer.
export function hue(name: string): number {
  let hash = 2166136261;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16777619) >>> 0;
  return (hash * 137.508) % 360;
}
