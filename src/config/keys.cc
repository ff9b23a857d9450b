#include "config/keys.h"

namespace hive::config {

namespace {

constexpr unsigned kWords = kText | kSequence;
constexpr std::string_view kUseDeploy = "set deploy.resources instead";

constexpr Key honoured(std::string_view path, unsigned types, Format format = Format::kPlain,
                       int since = 0) {
  return Key{path, types, format, since};
}
// A key whose text from a variable docker converts.
constexpr Key cast(std::string_view path, unsigned types, int since = 0) {
  return Key{path, types, Format::kPlain, since, Treatment::kHonoured, true};
}
constexpr Key ignored(std::string_view path, unsigned types, Format format = Format::kPlain,
                      int since = 0) {
  return Key{path,
             types,
             format,
             since,
             Treatment::kIgnored,
             false,
             "Swarm has no such setting for a service"};
}
constexpr Key forbidden(std::string_view path, std::string_view why) {
  return Key{path, kAnything, Format::kPlain, 0, Treatment::kForbidden, false, why};
}
constexpr Key hive(std::string_view path, unsigned types, std::string_view type_text,
                   std::string_view default_text, std::string_view note,
                   Format format = Format::kPlain) {
  return Key{path, types, format, 0, Treatment::kHonoured, true, note, type_text, default_text};
}

void add_service_keys(std::vector<Key>& keys) {
  const Key rows[] = {
      honoured("services", kMapping),
      honoured("services.*", kMapping),
      honoured("services.*.image", kText),
      honoured("services.*.command", kWords, Format::kTextList),
      honoured("services.*.entrypoint", kWords, Format::kTextList),
      honoured("services.*.environment", kSequence | kMapping, Format::kListOrMap),
      honoured("services.*.env_file", kWords, Format::kUniqueList),
      honoured("services.*.labels", kSequence | kMapping, Format::kListOrMap),
      honoured("services.*.ports", kSequence),
      honoured("services.*.ports[]", kText | kNumber | kMapping),
      honoured("services.*.ports[].mode", kText, Format::kPlain, 2),
      cast("services.*.ports[].target", kInteger, 2),
      cast("services.*.ports[].published", kInteger, 2),
      honoured("services.*.ports[].protocol", kText, Format::kPlain, 2),
      honoured("services.*.volumes", kSequence),
      honoured("services.*.volumes[]", kText | kMapping),
      honoured("services.*.volumes[].type", kText, Format::kPlain, 2),
      honoured("services.*.volumes[].source", kText, Format::kPlain, 2),
      honoured("services.*.volumes[].target", kText, Format::kPlain, 2),
      cast("services.*.volumes[].read_only", kBoolean, 2),
      honoured("services.*.volumes[].consistency", kText, Format::kPlain, 2),
      honoured("services.*.volumes[].bind", kMapping, Format::kOpen, 2),
      honoured("services.*.volumes[].bind.propagation", kText, Format::kPlain, 2),
      honoured("services.*.volumes[].volume", kMapping, Format::kOpen, 2),
      cast("services.*.volumes[].volume.nocopy", kBoolean, 2),
      honoured("services.*.volumes[].tmpfs", kMapping, Format::kOpen, 6),
      honoured("services.*.volumes[].tmpfs.size", kInteger, Format::kPlain, 6),
      honoured("services.*.tmpfs", kWords, Format::kUniqueList),
      honoured("services.*.configs", kSequence, Format::kPlain, 3),
      honoured("services.*.configs[]", kText | kMapping, Format::kOpen, 3),
      honoured("services.*.configs[].source", kText),
      honoured("services.*.configs[].target", kText),
      honoured("services.*.configs[].uid", kText),
      honoured("services.*.configs[].gid", kText),
      cast("services.*.configs[].mode", kNumber),
      honoured("services.*.secrets", kSequence, Format::kPlain, 1),
      honoured("services.*.secrets[]", kText | kMapping, Format::kOpen, 1),
      honoured("services.*.secrets[].source", kText),
      honoured("services.*.secrets[].target", kText),
      honoured("services.*.secrets[].uid", kText),
      honoured("services.*.secrets[].gid", kText),
      cast("services.*.secrets[].mode", kNumber),
      honoured("services.*.networks", kSequence | kMapping),
      honoured("services.*.networks[]", kText),
      honoured("services.*.networks.*", kMapping | kNothing),
      honoured("services.*.networks.*.aliases", kSequence, Format::kUniqueList),
      honoured("services.*.networks.*.ipv4_address", kText),
      honoured("services.*.networks.*.ipv6_address", kText),
      ignored("services.*.networks.*.driver_opts", kMapping, Format::kTextMap, 13),
      honoured("services.*.healthcheck", kMapping),
      honoured("services.*.healthcheck.test", kWords, Format::kTextList),
      honoured("services.*.healthcheck.timeout", kText, Format::kDuration),
      honoured("services.*.healthcheck.interval", kText, Format::kDuration),
      honoured("services.*.healthcheck.start_period", kText, Format::kDuration, 4),
      ignored("services.*.healthcheck.start_interval", kText, Format::kDuration, 12),
      cast("services.*.healthcheck.retries", kNumber),
      cast("services.*.healthcheck.disable", kBoolean),
      honoured("services.*.logging", kMapping),
      honoured("services.*.logging.driver", kText),
      honoured("services.*.logging.options", kMapping, Format::kTextMapNull),
      honoured("services.*.dns", kWords, Format::kUniqueList),
      honoured("services.*.dns_search", kWords, Format::kUniqueList),
      honoured("services.*.extra_hosts", kSequence | kMapping, Format::kListOrMap),
      honoured("services.*.cap_add", kSequence, Format::kUniqueList),
      honoured("services.*.cap_drop", kSequence, Format::kUniqueList),
      honoured("services.*.sysctls", kSequence | kMapping, Format::kListOrMap),
      honoured("services.*.ulimits", kMapping),
      cast("services.*.ulimits.*", kInteger | kMapping),
      cast("services.*.ulimits.*.soft", kInteger),
      cast("services.*.ulimits.*.hard", kInteger),
      honoured("services.*.credential_spec", kMapping, Format::kPlain, 3),
      honoured("services.*.credential_spec.config", kText, Format::kPlain, 8),
      honoured("services.*.credential_spec.file", kText),
      honoured("services.*.credential_spec.registry", kText),
      honoured("services.*.hostname", kText),
      honoured("services.*.user", kText),
      honoured("services.*.working_dir", kText),
      honoured("services.*.isolation", kText, Format::kPlain, 5),
      honoured("services.*.restart", kText),
      honoured("services.*.stop_signal", kText),
      honoured("services.*.stop_grace_period", kText, Format::kDuration),
      honoured("services.*.init", kBoolean, Format::kPlain, 7),
      cast("services.*.read_only", kBoolean),
      cast("services.*.stdin_open", kBoolean),
      cast("services.*.tty", kBoolean),
  };
  keys.insert(keys.end(), std::begin(rows), std::end(rows));
}

void add_deploy_keys(std::vector<Key>& keys) {
  const Key rows[] = {
      honoured("services.*.deploy", kMapping | kNothing),
      honoured("services.*.deploy.mode", kText),
      cast("services.*.deploy.replicas", kInteger),
      honoured("services.*.deploy.endpoint_mode", kText, Format::kPlain, 2),
      honoured("services.*.deploy.labels", kSequence | kMapping, Format::kListOrMap),
      honoured("services.*.deploy.update_config", kMapping),
      cast("services.*.deploy.update_config.parallelism", kInteger),
      honoured("services.*.deploy.update_config.delay", kText, Format::kDuration),
      honoured("services.*.deploy.update_config.failure_action", kText),
      honoured("services.*.deploy.update_config.monitor", kText, Format::kDuration),
      cast("services.*.deploy.update_config.max_failure_ratio", kNumber),
      honoured("services.*.deploy.update_config.order", kText, Format::kPlain, 4),
      honoured("services.*.deploy.rollback_config", kMapping, Format::kPlain, 7),
      cast("services.*.deploy.rollback_config.parallelism", kInteger),
      honoured("services.*.deploy.rollback_config.delay", kText, Format::kDuration),
      honoured("services.*.deploy.rollback_config.failure_action", kText),
      honoured("services.*.deploy.rollback_config.monitor", kText, Format::kDuration),
      cast("services.*.deploy.rollback_config.max_failure_ratio", kNumber),
      honoured("services.*.deploy.rollback_config.order", kText),
      honoured("services.*.deploy.restart_policy", kMapping),
      honoured("services.*.deploy.restart_policy.condition", kText),
      honoured("services.*.deploy.restart_policy.delay", kText, Format::kDuration),
      cast("services.*.deploy.restart_policy.max_attempts", kInteger),
      honoured("services.*.deploy.restart_policy.window", kText, Format::kDuration),
      honoured("services.*.deploy.resources", kMapping),
      honoured("services.*.deploy.resources.limits", kMapping),
      honoured("services.*.deploy.resources.limits.cpus", kText),
      honoured("services.*.deploy.resources.limits.memory", kText, Format::kBytes),
      honoured("services.*.deploy.resources.limits.pids", kInteger, Format::kPlain, 9),
      honoured("services.*.deploy.resources.reservations", kMapping),
      honoured("services.*.deploy.resources.reservations.cpus", kText),
      honoured("services.*.deploy.resources.reservations.memory", kText, Format::kBytes),
      honoured("services.*.deploy.resources.reservations.generic_resources", kSequence,
               Format::kPlain, 5),
      honoured("services.*.deploy.resources.reservations.generic_resources[]", kMapping),
      honoured(
          "services.*.deploy.resources.reservations.generic_resources[].discrete_resource_spec",
          kMapping),
      honoured("services.*.deploy.resources.reservations.generic_resources[]"
               ".discrete_resource_spec.kind",
               kText),
      honoured("services.*.deploy.resources.reservations.generic_resources[]"
               ".discrete_resource_spec.value",
               kNumber),
      honoured("services.*.deploy.placement", kMapping),
      honoured("services.*.deploy.placement.constraints", kSequence, Format::kTextList),
      honoured("services.*.deploy.placement.preferences", kSequence, Format::kPlain, 3),
      honoured("services.*.deploy.placement.preferences[]", kMapping),
      honoured("services.*.deploy.placement.preferences[].spread", kText),
      cast("services.*.deploy.placement.max_replicas_per_node", kInteger, 8),
  };
  keys.insert(keys.end(), std::begin(rows), std::end(rows));
}

void add_unhonoured_keys(std::vector<Key>& keys) {
  const Key rows[] = {
      ignored("services.*.build", kText | kMapping),
      ignored("services.*.cgroupns_mode", kText, Format::kPlain, 9),
      ignored("services.*.cgroup_parent", kText),
      ignored("services.*.devices", kSequence, Format::kUniqueList),
      ignored("services.*.domainname", kText),
      ignored("services.*.external_links", kSequence, Format::kUniqueList),
      ignored("services.*.ipc", kText),
      ignored("services.*.links", kSequence, Format::kUniqueList),
      ignored("services.*.mac_address", kText),
      ignored("services.*.network_mode", kText),
      ignored("services.*.oom_score_adj", kInteger, Format::kPlain, 13),
      ignored("services.*.pid", kText | kNothing),
      {"services.*.privileged", kBoolean, Format::kPlain, 0, Treatment::kIgnored, true,
       "Swarm has no such setting for a service"},
      ignored("services.*.security_opt", kSequence, Format::kUniqueList),
      ignored("services.*.shm_size", kText | kNumber),
      ignored("services.*.userns_mode", kText),
      {"services.*.container_name", kText, Format::kPlain, 0, Treatment::kDeprecated, false,
       "a service's containers are named by Swarm"},
      {"services.*.expose", kSequence, Format::kPlain, 0, Treatment::kDeprecated, false,
       "services on one network reach each other on any port"},
      {"services.*.expose[]", kText | kNumber},
      {"services.*.depends_on", kSequence, Format::kUniqueList, 0, Treatment::kSilent, false,
       "Swarm starts services in no order"},
      forbidden("services.*.extends", "`extends` is not supported in version 3 files"),
      forbidden("services.*.volume_driver",
                "define a volume under the top-level `volumes` with its driver"),
      forbidden("services.*.volumes_from",
                "define a volume under the top-level `volumes` and name it in each service"),
      forbidden("services.*.cpu_quota", kUseDeploy),
      forbidden("services.*.cpu_shares", kUseDeploy),
      forbidden("services.*.cpuset", kUseDeploy),
      forbidden("services.*.mem_limit", kUseDeploy),
      forbidden("services.*.memswap_limit", kUseDeploy),
  };
  keys.insert(keys.end(), std::begin(rows), std::end(rows));
}

void add_top_level_keys(std::vector<Key>& keys) {
  const Key rows[] = {
      honoured("version", kText),
      honoured("networks", kMapping),
      honoured("networks.*", kMapping | kNothing),
      honoured("networks.*.name", kText, Format::kPlain, 5),
      honoured("networks.*.driver", kText),
      honoured("networks.*.driver_opts", kMapping, Format::kTextMap),
      honoured("networks.*.ipam", kMapping),
      honoured("networks.*.ipam.driver", kText),
      honoured("networks.*.ipam.config", kSequence),
      honoured("networks.*.ipam.config[]", kMapping),
      honoured("networks.*.ipam.config[].subnet", kText),
      cast("networks.*.external", kBoolean | kMapping),
      honoured("networks.*.external.name", kText),
      cast("networks.*.internal", kBoolean),
      cast("networks.*.attachable", kBoolean, 2),
      honoured("networks.*.labels", kSequence | kMapping, Format::kListOrMap),
      honoured("volumes", kMapping),
      honoured("volumes.*", kMapping | kNothing),
      honoured("volumes.*.name", kText, Format::kPlain, 4),
      honoured("volumes.*.driver", kText),
      honoured("volumes.*.driver_opts", kMapping, Format::kTextMap),
      cast("volumes.*.external", kBoolean | kMapping),
      honoured("volumes.*.external.name", kText),
      honoured("volumes.*.labels", kSequence | kMapping, Format::kListOrMap),
      honoured("secrets", kMapping, Format::kPlain, 1),
      honoured("secrets.*", kMapping),
      honoured("secrets.*.name", kText, Format::kPlain, 5),
      honoured("secrets.*.file", kText),
      cast("secrets.*.external", kBoolean | kMapping),
      honoured("secrets.*.external.name", kText),
      honoured("secrets.*.labels", kSequence | kMapping, Format::kListOrMap),
      honoured("secrets.*.driver", kText, Format::kPlain, 8),
      honoured("secrets.*.driver_opts", kMapping, Format::kTextMap, 8),
      honoured("secrets.*.template_driver", kText, Format::kPlain, 8),
      honoured("configs", kMapping, Format::kPlain, 3),
      honoured("configs.*", kMapping),
      honoured("configs.*.name", kText, Format::kPlain, 5),
      honoured("configs.*.file", kText),
      cast("configs.*.external", kBoolean | kMapping),
      honoured("configs.*.external.name", kText),
      honoured("configs.*.labels", kSequence | kMapping, Format::kListOrMap),
      honoured("configs.*.template_driver", kText, Format::kPlain, 8),
  };
  keys.insert(keys.end(), std::begin(rows), std::end(rows));
}

void add_cluster_keys(std::vector<Key>& keys) {
  const Key rows[] = {
      hive("x-hive", kMapping, "mapping", "", "The cluster that the file is for."),
      hive("x-hive.name", kText, "text", "",
           "The cluster's name: lower-case letters, digits and dashes, at most 40."),
      hive("x-hive.cloud", kText, "`local` or `aws`", "local",
           "Where the instances are: network namespaces of this machine, or EC2."),
      hive("x-hive.managers", kInteger, "whole number, 1 to 7", "3",
           "Manager nodes. An odd number: an even one survives no more failures."),
      hive(
          "x-hive.replace_managers", kBoolean, "boolean", "true",
          "Whether a manager whose machine is gone is launched anew under its name, by the cluster "
          "itself. `false`: by the next `hive up`."),
      hive("x-hive.workers", kInteger | kMapping, "whole number or mapping", "2",
           "Worker nodes: a fixed number, or bounds between which hive chooses."),
      hive("x-hive.workers.min", kInteger, "whole number, 0 to 1000", "0", "At least so many."),
      hive("x-hive.workers.max", kInteger, "whole number, 0 to 1000", "`min`",
           "At most so many. With more than `min`, instances follow what replicas need."),
      hive("x-hive.workers.scale_in_after", kText, "duration, at most 24h", "5m",
           "A worker beyond `min` is emptied and ended when it was not needed for so long.",
           Format::kDuration),
      hive("x-hive.workers.join_timeout", kText, "duration, 5s to 24h", "3m",
           "A worker that hive started and that is no ready node by then is ended and started "
           "anew, three times at most. On AWS ten minutes at least.",
           Format::kDuration),
      hive("x-hive.subnet", kText, "IPv4 network", "a free one",
           "The addresses of the local cloud's instances: one of `10.77.0.0/24` to "
           "`10.77.255.0/24`."),
      hive("x-hive.load_balancer", kMapping, "mapping", "", "The balancer in front of the nodes."),
      hive("x-hive.load_balancer.type", kText, "`classic`, `network` or `application`", "classic",
           "Which of AWS's balancers: see [aws.md](aws.md#which-balancer). It stays what it is for "
           "the cluster's life. The local cloud has one of its own."),
      hive("x-hive.load_balancer.listeners", kSequence, "list", "",
           "The ports that it serves. An entry is text, `\"80:8080\"` (the port that clients "
           "connect to, and the published port on the nodes; `\"8080\"` for both), or a mapping."),
      hive("x-hive.load_balancer.listeners[]", kText | kInteger | kMapping, "text or mapping", "",
           "One listener."),
      hive("x-hive.load_balancer.listeners[].port", kInteger, "port", "",
           "The port that clients connect to."),
      hive("x-hive.load_balancer.listeners[].target", kInteger, "port", "`port`",
           "The published port on the nodes."),
      hive("x-hive.load_balancer.listeners[].mode", kText, "`http` or `tcp`", "http",
           "`tcp` passes bytes on and knows no routes."),
      hive("x-hive.load_balancer.listeners[].certificate", kText, "path or ARN", "",
           "PEM file with certificate chain and key, on AWS the ARN of a certificate of ACM: the "
           "listener speaks TLS."),
      hive("x-hive.load_balancer.listeners[].proxy", kBoolean, "boolean", "false",
           "Send the PROXY protocol to the nodes, so that they know the client's address."),
      hive("x-hive.registry", kMapping, "mapping", "",
           "The registry that the images come from. On the local cloud hive runs one."),
      hive("x-hive.registry.address", kText, "host:port", "hive's own registry",
           "Its name as images are named after it."),
      hive("x-hive.registry.username", kText, "text", "", "The user who pulls."),
      hive("x-hive.registry.password_file", kText, "path", "",
           "A file with that user's password. The password itself never stands in this file."),
      hive("x-hive.registry.images", kMapping, "mapping of image to path", "",
           "Image archives (`docker save`) to push there before a deploy, by `name:tag`.",
           Format::kTextMap),
      hive("x-hive.dashboard", kMapping, "mapping", "", "hive's own web page."),
      hive("x-hive.dashboard.port", kInteger, "port", "5000",
           "The port on the nodes that serves it; 0 serves none."),
      hive("x-hive.rebalance", kBoolean, "boolean", "true",
           "Move tasks, one at a time and without losing a request, when nodes have joined."),
  };
  keys.insert(keys.end(), std::begin(rows), std::end(rows));
}

void add_aws_keys(std::vector<Key>& keys) {
  const Key rows[] = {
      hive("x-hive.aws", kMapping, "mapping", "",
           "Settings of `cloud: aws`: see [aws.md](aws.md)."),
      hive("x-hive.aws.region", kText, "region", "`AWS_REGION`, or the profile's",
           "Such as `eu-central-1`."),
      hive("x-hive.aws.profile", kText, "text", "the one in force",
           "The profile in `~/.aws` whose credentials are used."),
      hive("x-hive.aws.vpc", kText, "name or id", "the default VPC",
           "The VPC, which must be there: its tag `Name`, or `vpc-...`."),
      hive("x-hive.aws.subnets", kSequence, "list of names or ids", "one of each zone of the VPC",
           "Where the nodes and the balancer are: at most one of each availability zone.",
           Format::kUniqueList),
      hive("x-hive.aws.image", kText, "id or name pattern", "debian-12-amd64-*",
           "The machine image: `ami-...`, or the newest whose name fits."),
      hive("x-hive.aws.image_owner", kText, "account or `self`", "Debian's account",
           "Whose images are looked at for a name pattern."),
      hive("x-hive.aws.package", kText, "address#sha256=hash", "",
           "hive's Debian package, for images that have no hive in them: machines fetch it (https) "
           "and check its SHA-256."),
      hive("x-hive.aws.manager_type", kText, "instance type", "t3.medium", "What managers are."),
      hive("x-hive.aws.worker_types", kSequence, "list of instance types", "m5.large, m5a.large",
           "What workers are; a type without capacity is passed over for the next.",
           Format::kUniqueList),
      hive("x-hive.aws.spot", kText | kNumber, "percentage", "0%",
           "So much of the workers is Spot."),
      hive("x-hive.aws.warm_pool", kMapping, "mapping", "",
           "Workers that are prepared ahead, beside `workers`: see [aws.md](aws.md#a-warm-pool). "
           "Not "
           "with `spot`."),
      hive("x-hive.aws.warm_pool.size", kInteger, "whole number, 1 to 100", "1",
           "So many wait, whatever runs."),
      hive("x-hive.aws.warm_pool.state", kText, "`stopped` or `running`", "stopped",
           "How they wait. Stopped, they cost their disks alone."),
      hive("x-hive.aws.disk", kText, "size", "30G", "Of each node's disk, encrypted gp3.",
           Format::kBytes),
      hive("x-hive.aws.internal", kBoolean, "boolean", "false",
           "The balancer has private addresses only."),
      hive("x-hive.aws.sources", kSequence, "list of networks", "0.0.0.0/0",
           "Who may connect to the listeners: IPv4 networks.", Format::kUniqueList),
      hive("x-hive.aws.draining", kText, "duration, 1s to 1h", "5m",
           "How long the balancer lets open connections of a leaving node end.", Format::kDuration),
      hive("x-hive.aws.repositories", kSequence, "list of names", "",
           "ECR repositories to make. Those that hold images are kept when the rest is removed.",
           Format::kUniqueList),
      hive("x-hive.aws.prices", kMapping, "mapping of instance type to number", "",
           "US dollars an hour, for the estimate of `hive up --dry-run`, where the built-in list "
           "prices (us-east-1) are not yours."),
      hive("x-hive.aws.prices.*", kNumber, "number", "", "Of one instance type."),
  };
  keys.insert(keys.end(), std::begin(rows), std::end(rows));
}

void add_service_hive_keys(std::vector<Key>& keys) {
  const Key rows[] = {
      hive("services.*.x-hive", kMapping, "mapping", "", "What hive does for the service."),
      hive("services.*.x-hive.autoscale", kMapping, "mapping", "",
           "Replicas follow the load. `min` and `max` are enough."),
      hive("services.*.x-hive.autoscale.min", kInteger, "whole number, 1 or more", "1",
           "Never fewer replicas."),
      hive("services.*.x-hive.autoscale.max", kInteger, "whole number, `min` or more", "",
           "Never more replicas. Must be given."),
      hive("services.*.x-hive.autoscale.target", kMapping, "mapping", "",
           "What a replica shall carry; of several the one that asks for the most replicas "
           "decides. Without it, what a replica can carry is learned from what it serves."),
      hive("services.*.x-hive.autoscale.target.requests_per_replica", kNumber, "number", "",
           "Requests a second."),
      hive("services.*.x-hive.autoscale.target.concurrency", kNumber, "number", "",
           "Requests open at one time."),
      hive("services.*.x-hive.autoscale.target.cpu", kText | kNumber, "percentage", "",
           "Share of the CPU reservation (or limit), such as `60%`."),
      hive("services.*.x-hive.autoscale.target.memory", kText | kNumber, "percentage", "",
           "Share of the memory reservation (or limit)."),
      hive("services.*.x-hive.autoscale.target.latency", kText, "duration", "",
           "Average time of an answer.", Format::kDuration),
      hive("services.*.x-hive.autoscale.target.metrics", kSequence, "list", "",
           "Figures of the application's own (Prometheus) or of AWS's balancer (CloudWatch), each "
           "a target of its own."),
      hive("services.*.x-hive.autoscale.target.metrics[]", kMapping, "mapping", "",
           "One of them: read from each task, by a query of a Prometheus server, or from "
           "CloudWatch."),
      hive("services.*.x-hive.autoscale.target.metrics[].name", kText, "text", "",
           "What it is called. Must be given."),
      hive("services.*.x-hive.autoscale.target.metrics[].per_replica", kNumber, "number", "",
           "How much of it a replica takes. Must be given, but for `Latency`."),
      hive("services.*.x-hive.autoscale.target.metrics[].metric", kText, "text", "`name`",
           "The series of the tasks' text exposition that are added up; of counters their rate."),
      hive("services.*.x-hive.autoscale.target.metrics[].labels", kMapping, "mapping", "",
           "Labels that these series have."),
      hive("services.*.x-hive.autoscale.target.metrics[].labels.*", kText | kNumber | kBoolean,
           "text", "", "Of one label."),
      hive("services.*.x-hive.autoscale.target.metrics[].port", kInteger, "port",
           "the first published", "The container's port that answers; `ports` must have it."),
      hive("services.*.x-hive.autoscale.target.metrics[].path", kText, "path", "/metrics",
           "Where it answers."),
      hive("services.*.x-hive.autoscale.target.metrics[].server", kText, "URL", "",
           "A Prometheus server that managers reach, with `query`: no task is asked then."),
      hive("services.*.x-hive.autoscale.target.metrics[].query", kText, "PromQL", "",
           "A query that gives one figure, such as `sum(jobs_waiting)`."),
      hive("services.*.x-hive.autoscale.target.metrics[].cloudwatch", kText,
           "`RequestCount`, `Latency`, `SurgeQueueLength` or `SpilloverCount`", "",
           "What CloudWatch says of the cluster's balancer, all services together; with `cloud: "
           "aws`. Requests and refusals count a second."),
      hive("services.*.x-hive.autoscale.target.metrics[].at_most", kText, "duration", "",
           "The limit of `cloudwatch: Latency`, in place of `per_replica`.", Format::kDuration),
      hive("services.*.x-hive.autoscale.predict", kBoolean, "boolean", "true",
           "Scale ahead of the load where its past tells (days, weeks, the clock)."),
      hive("services.*.x-hive.autoscale.schedules", kSequence, "list", "",
           "Other bounds at times that come round. Of several at once the largest `min` and the "
           "smallest `max` hold, and `min` wins."),
      hive("services.*.x-hive.autoscale.schedules[]", kMapping, "mapping", "", "One of them."),
      hive("services.*.x-hive.autoscale.schedules[].cron", kText, "cron time", "",
           "When it begins, as in `0 8 * * mon-fri`. Must be given."),
      hive("services.*.x-hive.autoscale.schedules[].zone", kText, "time zone", "UTC",
           "Whose clock that is, such as `Asia/Seoul`."),
      hive("services.*.x-hive.autoscale.schedules[].duration", kText, "duration", "",
           "How long it holds, at most a week. Must be given.", Format::kDuration),
      hive("services.*.x-hive.autoscale.schedules[].min", kInteger, "whole number, 1 or more", "",
           "Never fewer replicas meanwhile."),
      hive("services.*.x-hive.autoscale.schedules[].max", kInteger, "whole number, `min` or more",
           "", "Never more replicas meanwhile."),
      hive("services.*.x-hive.autoscale.limits", kMapping, "mapping", "",
           "How fast the number may change."),
      hive("services.*.x-hive.autoscale.limits.out_per_minute", kInteger, "whole number, 1 or more",
           "no limit", "Replicas added in any minute at most."),
      hive("services.*.x-hive.autoscale.limits.in_per_minute", kInteger, "whole number, 1 or more",
           "no limit", "Replicas removed in any minute at most."),
      hive("services.*.x-hive.autoscale.stabilisation", kMapping, "mapping", "",
           "How long a smaller or larger number must have been right before it is taken."),
      hive("services.*.x-hive.autoscale.stabilisation.in", kText, "duration", "hive's own",
           "Never fewer replicas than were right at any time in it.", Format::kDuration),
      hive("services.*.x-hive.autoscale.stabilisation.out", kText, "duration", "0s",
           "Never more replicas than were right at all times in it.", Format::kDuration),
      hive("services.*.x-hive.autoscale.scale_in_cooldown", kText, "duration", "hive's own",
           "After a change, wait so long before removing replicas.", Format::kDuration),
      hive("services.*.x-hive.autoscale.scale_out_cooldown", kText, "duration", "hive's own",
           "After a change, wait so long before adding replicas.", Format::kDuration),
      hive("services.*.x-hive.autoscale.dry_run", kBoolean, "boolean", "false",
           "Record what would be done (`hive autoscale history`), and do nothing."),
      hive("services.*.x-hive.drain", kMapping, "mapping", "",
           "How a task of the service is taken away."),
      hive("services.*.x-hive.drain.timeout", kText, "duration", "30s",
           "How long open requests may take to end.", Format::kDuration),
      hive("services.*.x-hive.drain.pre_stop", kWords, "text or list of words", "",
           "A command run in the container before it stops.", Format::kTextList),
      hive("services.*.x-hive.drain.hooks_timeout", kText, "duration", "30s",
           "How long `pre_stop` may take.", Format::kDuration),
      hive("services.*.x-hive.drain.stop_command", kWords, "text or list of words", "",
           "A command that stops the application, instead of the stop signal.", Format::kTextList),
      hive("services.*.x-hive.drain.stop_timeout", kText, "duration", "30s",
           "How long the application may take to end, then it is killed.", Format::kDuration),
      hive("services.*.x-hive.drain.flush_timeout", kText, "duration", "30s",
           "How long the container is kept until its last log line is safe.", Format::kDuration),
      hive("services.*.x-hive.logs", kMapping, "mapping", "",
           "What becomes of the service's log lines: see [logs.md](logs.md)."),
      hive("services.*.x-hive.logs.paths", kSequence, "list of paths", "",
           "Log files: absolute paths inside the container; `*` and `?` match names.",
           Format::kUniqueList),
      hive("services.*.x-hive.logs.output", kBoolean, "boolean", "true",
           "Collect what the container writes to its standard output and error."),
      hive("services.*.x-hive.logs.destination", kText, "path", "/var/lib/hive/logs",
           "A directory that is there on every node, such as one on a mounted share: the lines are "
           "collected into it."),
      hive("services.*.x-hive.logs.filebeat", kMapping, "mapping", "",
           "A Filebeat ships the files at `paths`: hive waits for its acknowledgements instead of "
           "collecting them."),
      hive("services.*.x-hive.logs.filebeat.registry", kText, "path", "",
           "Its registry, such as `/usr/share/filebeat/data/registry/filebeat`. Must be given."),
      hive("services.*.x-hive.logs.filebeat.where", kText, "`container` or `node`", "container",
           "Where it runs: in each container beside the application, or once on each node."),
      hive("services.*.x-hive.logs.filebeat.stats", kText, "URL", "",
           "Its HTTP endpoint (`http.enabled`), such as `http://127.0.0.1:5066/stats`: events that "
           "the receiver refused are noticed then."),
      hive("services.*.x-hive.rollout", kMapping, "mapping", "",
           "How a new version is rolled out: see [rollouts.md](rollouts.md)."),
      hive("services.*.x-hive.rollout.canary", kText, "duration", "none",
           "Watch a canary for so long before the rest is replaced.", Format::kDuration),
      hive("services.*.x-hive.rollout.canary_weight", kInteger, "whole number, 1 to 100", "10",
           "So many percent of the requests go to the canary."),
      hive("services.*.x-hive.rollout.canary_replicas", kInteger, "whole number, 1 to 1000", "1",
           "So many tasks are the canary."),
      hive("services.*.x-hive.rollout.max_error_rate", kText | kNumber, "percentage", "1%",
           "So much more of the requests may fail than with the old version."),
      hive("services.*.x-hive.rollout.max_latency_factor", kNumber, "number", "4",
           "So many times slower than the old version it may be."),
      hive("services.*.x-hive.rollout.start_timeout", kText, "duration", "5m",
           "The longest until one more task of the new version serves.", Format::kDuration),
      hive("services.*.x-hive.routes", kSequence, "list", "",
           "Which requests come to this service where several share a port. None: all that no "
           "other service claims."),
      hive("services.*.x-hive.routes[]", kMapping, "mapping", "",
           "One rule; `host`, `path` or both."),
      hive("services.*.x-hive.routes[].host", kText, "host name", "every host",
           "`shop.example.org`, or `*.example.org` for every name below it."),
      hive("services.*.x-hive.routes[].path", kText, "path", "every path",
           "The beginning of the path; the longest that fits wins."),
      hive("services.*.x-hive.sticky", kMapping, "mapping", "",
           "Requests of one client stay with one task."),
      hive("services.*.x-hive.sticky.cookie", kText, "cookie name", "",
           "The cookie that names the task."),
      hive("services.*.x-hive.health", kMapping, "mapping", "",
           "When a task is ready for requests."),
      hive("services.*.x-hive.health.path", kText, "path", "",
           "This path must answer 2xx or 3xx before a task gets requests. Without it a TCP "
           "connection must open."),
      hive(
          "services.*.x-hive.max_connections", kInteger, "whole number", "0",
          "Open requests a task at most, over all edges, each of which has its share; further ones "
          "wait at the edge, 30 seconds at most. Set it below what the application can work on "
          "at a time, so that its health check is answered under overload. 0: no bound."),
      hive("services.*.x-hive.proxy_protocol", kBoolean, "boolean", "false",
           "The edge speaks PROXY protocol version 2 to the tasks."),
      hive("services.*.x-hive.certificate", kText, "path", "",
           "PEM file with certificate chain and key: the service's ports speak TLS at the edge."),
  };
  keys.insert(keys.end(), std::begin(rows), std::end(rows));
}

void insert(Schema& root, const Key& key) {
  Schema* at = &root;
  std::string_view rest = key.path;
  while (!rest.empty()) {
    if (rest.starts_with("[]")) {
      if (!at->item) at->item = std::make_unique<Schema>();
      at = at->item.get();
      rest.remove_prefix(2);
    } else {
      const auto end = rest.find_first_of(".[");
      const auto name = rest.substr(0, end);
      auto& child = name == "*" ? at->any : at->children[std::string(name)];
      if (!child) child = std::make_unique<Schema>();
      at = child.get();
      rest.remove_prefix(name.size());
    }
    if (rest.starts_with('.')) rest.remove_prefix(1);
  }
  at->key = &key;
}

}  // namespace

const std::vector<Key>& all_keys() {
  static const std::vector<Key> keys = [] {
    std::vector<Key> out;
    add_top_level_keys(out);
    add_service_keys(out);
    add_deploy_keys(out);
    add_unhonoured_keys(out);
    add_cluster_keys(out);
    add_aws_keys(out);
    add_service_hive_keys(out);
    return out;
  }();
  return keys;
}

const Schema* Schema::member(std::string_view name) const {
  const auto found = children.find(name);
  if (found != children.end()) return found->second.get();
  return any.get();
}

const Schema& schema() {
  static const Schema root = [] {
    Schema out;
    for (const auto& key : all_keys()) insert(out, key);
    return out;
  }();
  return root;
}

}  // namespace hive::config
