import { hue, image_version, type Service, type Task } from './model';

interface Props {
  services: Service[]; tasks: Map<string, Task>; chosen: string; on_choose(id: string): void;
}

// The services with their colours; a click shows one alone.
export function Legend({ services, tasks, chosen, on_choose }: Props) {
  const running = new Map<string, number>();
  for (const task of tasks.values()) {
    if (task.state === 'running' && task.desired === 'running') {
      running.set(task.service_id, (running.get(task.service_id) ?? 0) + 1);
    }
  }
  services.sort((a, b) => a.name.localeCompare(b.name));
  return (
    <nav>
      {services.map((service) => (
        <button key={service.id} data-service={service.name} style={`--hue:${hue(service.name)}`}
          class={chosen && chosen !== service.id ? 'off' : ''} onClick={() => on_choose(service.id)}>
          <i />{service.name} <small>{image_version(service.image)}</small>{' '}
          <b>{running.get(service.id) ?? 0}{service.global ? '' : `/${service.replicas ?? 0}`}</b>
          {service.update_state && service.update_state !== 'completed' &&
            <em title={service.update_message}>{service.update_state}</em>}
        </button>
      ))}
    </nav>
  );
}
