// A Compose file with `x-hive`, read, checked and typed. The Compose half mirrors the model that
// `docker stack deploy` (docker CLI 20.10) has after its own loader: same meaning, same defaults,
// so that what is made of it for Swarm can be the same. As there, an empty string, an empty list
// or map, 0 and false mean "not set", except where a std::optional tells the two apart.
// All value types; nothing here touches files, processes or the network (the loader reads files
// only through the functions in LoadOptions).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/log_policy.h"

namespace hive::config {

using Nanoseconds = std::chrono::nanoseconds;
using StringMap = std::map<std::string, std::string>;
// A key without value (null) is std::nullopt; a key with an empty value is "".
using NullableMap = std::map<std::string, std::optional<std::string>>;

// ---- Services -------------------------------------------------------------------------------

// One port of the short syntax's ranges each.
struct ServicePort {
  std::string mode;             // "ingress" from the short syntax; else as written; may be empty
  std::uint32_t target = 0;     // inside the container
  std::uint32_t published = 0;  // 0 = chosen by the engine
  std::string protocol;         // "tcp" from the short syntax; else as written; may be empty
  bool operator==(const ServicePort&) const = default;
};

struct ServiceVolume {
  std::string type;    // "bind", "volume", "tmpfs", "npipe"; "volume" from a short anonymous one
  std::string source;  // bind: absolute path (expanded); volume: name in `volumes`, or empty
  std::string target;
  bool read_only = false;
  std::string consistency;
  // Present when the long syntax (or a short option) wrote the block.
  std::optional<std::string> bind_propagation;
  std::optional<bool> volume_nocopy;
  std::optional<std::int64_t> tmpfs_size;  // bytes
  bool operator==(const ServiceVolume&) const = default;
};

// A config or secret that a service uses.
struct FileReference {
  std::string source;  // name in top-level `configs`/`secrets`
  std::string target;  // empty = the default (source for secrets, "/source" for configs)
  std::string uid;
  std::string gid;
  std::optional<std::uint32_t> mode;
  bool operator==(const FileReference&) const = default;
};

struct ServiceNetwork {
  std::vector<std::string> aliases;
  std::string ipv4_address;
  std::string ipv6_address;
  bool operator==(const ServiceNetwork&) const = default;
};

struct Healthcheck {
  std::vector<std::string> test;  // {"CMD-SHELL", text} when the file has a string
  std::optional<Nanoseconds> timeout;
  std::optional<Nanoseconds> interval;
  std::optional<std::uint64_t> retries;
  std::optional<Nanoseconds> start_period;
  bool disable = false;
  bool operator==(const Healthcheck&) const = default;
};

struct Logging {
  std::string driver;
  StringMap options;
  bool operator==(const Logging&) const = default;
};

struct Ulimit {
  std::int64_t single = 0;  // when not 0: both soft and hard
  std::int64_t soft = 0;
  std::int64_t hard = 0;
  bool operator==(const Ulimit&) const = default;
};

struct CredentialSpec {
  std::string config;  // name in top-level `configs`
  std::string file;
  std::string registry;
  bool operator==(const CredentialSpec&) const = default;
};

struct UpdateConfig {
  std::optional<std::uint64_t> parallelism;
  Nanoseconds delay{0};
  std::string failure_action;
  Nanoseconds monitor{0};
  float max_failure_ratio = 0;
  std::string order;
  bool operator==(const UpdateConfig&) const = default;
};

struct RestartPolicy {
  std::string condition;  // "none", "on-failure", "any" or empty
  std::optional<Nanoseconds> delay;
  std::optional<std::uint64_t> max_attempts;
  std::optional<Nanoseconds> window;
  bool operator==(const RestartPolicy&) const = default;
};

struct GenericResource {
  std::string kind;
  std::int64_t value = 0;
  bool operator==(const GenericResource&) const = default;
};

struct ResourceLimit {
  std::string cpus;  // as written, "0.5"; empty = none; checked to be a number with <= 9 decimals
  std::int64_t memory_bytes = 0;
  std::int64_t pids = 0;
  bool operator==(const ResourceLimit&) const = default;
};

struct ResourceReservation {
  std::string cpus;
  std::int64_t memory_bytes = 0;
  std::vector<GenericResource> generic_resources;
  bool operator==(const ResourceReservation&) const = default;
};

struct Placement {
  std::vector<std::string> constraints;
  std::vector<std::string> spread;  // preferences, in order: each its `spread` descriptor
  std::uint64_t max_replicas_per_node = 0;
  bool no_spread = false;  // a file says `preferences: []`
  bool operator==(const Placement&) const = default;
};

struct Deploy {
  std::string mode;  // "replicated", "global" or empty
  std::optional<std::uint64_t> replicas;
  std::string endpoint_mode;  // "vip", "dnsrr" or empty
  StringMap labels;           // of the service
  std::optional<UpdateConfig> update_config;
  std::optional<UpdateConfig> rollback_config;
  std::optional<RestartPolicy> restart_policy;
  std::optional<ResourceLimit> limits;
  std::optional<ResourceReservation> reservations;
  Placement placement;
  bool operator==(const Deploy&) const = default;
};

// ---- x-hive of a service ----------------------------------------------------------------------

// A figure of the application's own: read from each of its tasks, or by a query. Or one of the
// cluster's balancer, by CloudWatch.
struct AutoscaleMetric {
  std::string name;
  double per_replica = 0;
  std::string metric;                         // of the text exposition; empty: `name`
  std::map<std::string, std::string> labels;  // that its series have
  std::uint16_t port = 0;                     // in the container; 0: the first published one
  std::string path = "/metrics";
  std::string server;  // of Prometheus, with `query`: then no task is asked
  std::string query;
  std::string cloudwatch;  // "RequestCount", "Latency", "SurgeQueueLength", "SpilloverCount"
  Nanoseconds at_most{0};  // of Latency, which has no per_replica
  bool operator==(const AutoscaleMetric&) const = default;
};

struct AutoscaleTarget {
  std::optional<double> requests_per_replica;  // requests a second
  std::optional<double> concurrency;           // requests open at one time
  std::optional<double> cpu;                   // share of the reservation or limit, 0.6 = "60%"
  std::optional<double> memory;                // likewise
  std::optional<Nanoseconds> latency;
  std::vector<AutoscaleMetric> metrics;
  bool operator==(const AutoscaleTarget&) const = default;
};

// Other bounds for a time that comes round.
struct AutoscaleSchedule {
  std::string cron;  // begins at its times; checked by decide/autoscale/cron.h
  std::string zone = "UTC";
  Nanoseconds duration{0};
  std::optional<std::uint64_t> min;
  std::optional<std::uint64_t> max;
  bool operator==(const AutoscaleSchedule&) const = default;
};

struct Autoscale {
  std::uint64_t min = 1;
  std::uint64_t max = 1;
  // Nothing set: what a replica can carry is learned.
  AutoscaleTarget target;
  bool predict = true;
  std::vector<AutoscaleSchedule> schedules;
  std::optional<std::uint64_t> out_per_minute;  // limits; absent: no limit
  std::optional<std::uint64_t> in_per_minute;
  std::optional<Nanoseconds> stabilisation_in;  // absent: hive's own rule
  std::optional<Nanoseconds> stabilisation_out;
  std::optional<Nanoseconds> scale_in_cooldown;
  std::optional<Nanoseconds> scale_out_cooldown;
  bool dry_run = false;  // what it would do is recorded, and not done
  bool operator==(const Autoscale&) const = default;
};

// Absent: the defaults of model/stop_policy.h.
struct Drain {
  std::optional<Nanoseconds> timeout;
  std::vector<std::string> pre_stop;  // a command's words; empty = none
  std::optional<Nanoseconds> hooks_timeout;
  std::vector<std::string> stop_command;  // instead of the stop signal; empty = the signal
  std::optional<Nanoseconds> stop_timeout;
  std::optional<Nanoseconds> flush_timeout;
  bool operator==(const Drain&) const = default;
};

// Absent: the defaults of decide/rollout.
struct Rollout {
  std::optional<Nanoseconds> canary;  // how long one is watched before the rest; absent = none
  std::uint32_t canary_weight = 10;   // percent of the requests
  std::uint64_t canary_replicas = 1;
  std::optional<double> max_error_rate;  // 0 to 1, more than the old version's
  std::optional<double> max_latency_factor;
  std::optional<Nanoseconds> start_timeout;
  bool operator==(const Rollout&) const = default;
};

struct RouteRule {
  std::string host;  // "shop.example.org", "*.example.org" or empty = every host
  std::string path;  // prefix, starts with "/"; empty = every path
  bool operator==(const RouteRule&) const = default;
};

struct ServiceHive {
  std::optional<Autoscale> autoscale;
  std::optional<Drain> drain;
  std::optional<Rollout> rollout;
  model::LogPolicy logs;
  std::vector<RouteRule> routes;
  std::string sticky_cookie;          // sticky.cookie; empty = not sticky
  std::string health_path;            // health.path; empty = a TCP connection must open
  std::uint32_t max_connections = 0;  // open requests a task at most; 0 = no bound
  bool proxy_protocol = false;        // the edge speaks PROXY v2 to the tasks
  std::string certificate;            // PEM file for this service's listeners; absolute path
  bool operator==(const ServiceHive&) const = default;
};

struct Service {
  std::string name;
  std::string image;
  std::vector<std::string> command;     // words; a string in the file is split as a shell would
  std::vector<std::string> entrypoint;  // likewise
  NullableMap environment;              // env_file, environment and the caller's, resolved
  StringMap labels;                     // of the container
  std::vector<ServicePort> ports;
  std::vector<ServiceVolume> volumes;
  std::vector<std::string> tmpfs;
  std::vector<FileReference> configs;
  std::vector<FileReference> secrets;
  // By name in top-level `networks` (or "default"); std::nullopt: named without settings.
  // Empty: the service joins "default".
  std::map<std::string, std::optional<ServiceNetwork>> networks;
  Deploy deploy;
  std::optional<Healthcheck> healthcheck;
  std::optional<Logging> logging;
  std::vector<std::string> dns;
  std::vector<std::string> dns_search;
  std::vector<std::string> extra_hosts;  // "host:ip", as written; sorted when the file has a map
  std::vector<std::string> cap_add;
  std::vector<std::string> cap_drop;
  StringMap sysctls;
  std::map<std::string, Ulimit> ulimits;
  std::optional<CredentialSpec> credential_spec;
  std::string hostname;  // may hold a template ({{.Node.Hostname}})
  std::string user;
  std::string working_dir;
  std::string isolation;
  // "always", "unless-stopped", "on-failure[:N]", "no" or empty; stands behind
  // deploy.restart_policy (docker 20.10 says that it ignores it, and then does not).
  std::string restart;
  std::string stop_signal;
  std::optional<Nanoseconds> stop_grace_period;
  std::optional<bool> init;
  bool read_only = false;
  bool stdin_open = false;
  bool tty = false;
  // build, container_name, depends_on, devices, privileged, restart, userns_mode and the like have
  // no counterpart in a Swarm service: the loader drops them, with a warning each.

  std::optional<ServiceHive> hive;
  // The service's `x-hive` object after merge and interpolation, as compact JSON with sorted keys:
  // the value of label hive.x. Empty when the file has none.
  std::string hive_json;
};

// ---- Top-level objects --------------------------------------------------------------------------

struct Network {
  std::string name;  // as written, or the external name; empty = "<stack>_<key>"
  std::string driver;
  StringMap driver_opts;
  std::string ipam_driver;
  std::vector<std::string> ipam_subnets;  // one a pool
  bool external = false;
  bool internal = false;
  bool attachable = false;
  StringMap labels;
  bool operator==(const Network&) const = default;
};

struct Volume {
  std::string name;  // as written, or the external name; empty = "<stack>_<key>"
  std::string driver;
  StringMap driver_opts;
  bool external = false;
  StringMap labels;
  bool operator==(const Volume&) const = default;
};

// A config or a secret.
struct FileObject {
  std::string name;  // as written, or the external name; empty = "<stack>_<key>"
  std::string file;  // absolute path; empty when external or with a driver. Not read by the loader
  bool external = false;
  StringMap labels;
  std::string driver;  // secrets only
  StringMap driver_opts;
  std::string template_driver;
  bool operator==(const FileObject&) const = default;
};

// ---- x-hive of the cluster ----------------------------------------------------------------------

struct WorkerCount {
  std::uint32_t min = 0;
  std::uint32_t max = 0;
  // A worker goes when it was not needed for so long.
  Nanoseconds scale_in_after = std::chrono::minutes(5);
  // One that hive started and that is no ready node by then is ended and tried again.
  Nanoseconds join_timeout = std::chrono::minutes(3);
  bool operator==(const WorkerCount&) const = default;
};

// A listener of the balancer in front of the nodes: clients connect to `listen`, it passes on to
// `instance` on the nodes.
struct ClusterListener {
  std::uint16_t listen = 0;
  std::uint16_t instance = 0;
  std::string mode = "http";  // or "tcp"
  std::string certificate;    // PEM file, absolute path; on AWS an ARN; empty = plain
  bool proxy = false;         // PROXY protocol from the balancer to the nodes
  bool operator==(const ClusterListener&) const = default;
};

struct Registry {
  std::string address;        // host:port as images name it; empty = hive's own on the local cloud
  std::string username;       // empty = none
  std::string password_file;  // absolute path; empty = generated (local) or none
  StringMap images;           // "repo:tag" -> absolute path of an image archive to push there
  bool operator==(const Registry&) const = default;
};

// x-hive.aws: settings of `cloud: aws`.
struct Aws {
  std::string region;                       // empty = the environment's or the profile's
  std::string profile;                      // empty = the one in force
  std::string vpc;                          // tag Name or id; empty = the default VPC
  std::vector<std::string> subnets;         // tags Name or ids; empty = one of each zone
  std::string image = "debian-12-amd64-*";  // id or name pattern
  std::string image_owner =
      "136693071363";  // Debian's account (wiki.debian.org/Cloud/AmazonEC2Image)
  // hive's Debian package, for images without hive: https, and its SHA-256. Empty: the image has
  // it.
  std::string package;
  std::string package_sha256;
  std::string manager_type = "t3.medium";
  std::vector<std::string> worker_types{"m5.large", "m5a.large"};
  std::uint32_t spot_percent = 0;
  std::uint32_t warm_workers = 0;  // warm_pool.size; 0 = there is none
  bool warm_running = false;       // warm_pool.state
  std::int64_t disk_gib = 30;
  bool internal = false;
  std::vector<std::string> sources{"0.0.0.0/0"};
  std::uint32_t draining_s = 300;
  std::vector<std::string> repositories;
  std::map<std::string, double> prices;  // US dollars an hour by instance type
  bool operator==(const Aws&) const = default;
};

struct Cluster {
  std::string name;  // a DNS label; empty when the file has no x-hive.name
  std::string cloud = "local";
  std::uint32_t managers = 3;
  WorkerCount workers{2, 2};
  std::string balancer_type = "classic";   // load_balancer.type: or "network", "application"
  std::vector<ClusterListener> listeners;  // load_balancer.listeners
  Registry registry;
  std::uint16_t dashboard_port = 5000;  // 0 = no dashboard
  std::string subnet;                   // IPv4 CIDR; empty = a free one is chosen
  Aws aws;
  // Whole x-hive object as compact JSON with sorted keys ("" when absent).
  std::string json;
};

// ---- The whole
// ------------------------------------------------------------------------------------

// Where something was written. `file` is an index into Spec::files / Failure::files; line and
// column start at 1; 0 = unknown.
struct Position {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  bool operator==(const Position&) const = default;
};

struct Spec {
  std::vector<std::string> files;  // as the user named them
  std::string version;             // "3.8"
  std::map<std::string, Service> services;
  std::map<std::string, Network> networks;
  std::map<std::string, Volume> volumes;
  std::map<std::string, FileObject> configs;
  std::map<std::string, FileObject> secrets;
  bool has_hive = false;  // the file has a top-level x-hive
  Cluster cluster;

  // Positions of values by path: "services.web.ports[0]", "x-hive.name", "volumes.data". With
  // several files, that of the last one to set it.
  std::map<std::string, Position> positions;
  // "hive.yml:12:5"; of the nearest enclosing path when this one has none; empty when unknown.
  std::string where(std::string_view path) const;
};

// ---- Loading
// ----------------------------------------------------------------------------------------

struct SourceFile {
  std::string name;     // as the user named it; shown in messages
  std::string content;  // at most kMaxFileBytes
};

struct LoadOptions {
  // Absolute; relative paths in the files are relative to it: the directory of the first file.
  std::string working_dir;
  // The caller's environment: $VAR in the files, and `environment` keys without value.
  StringMap environment;
  // Reads an env_file (absolute path). Default: the file system, at most 1 MiB.
  std::function<Result<std::string>(const std::string& path)> read_file;
  // A `.env` lies in working_dir: `docker stack deploy` does not read it, and neither does hive;
  // a hint says so where a variable is unset.
  bool has_dot_env = false;
  // The time zones that this machine knows, asked for when a schedule names one. What is not among
  // them is warned of: a manager that does not know it either takes UTC. Absent, or none: no word.
  std::function<std::vector<std::string>()> time_zones;
};

inline constexpr std::size_t kMaxFileBytes = 4 << 20;
inline constexpr std::size_t kMaxFaults = 100;

enum class Severity { kWarning, kFault };

// One finding in the text.
struct Finding {
  Severity severity = Severity::kFault;
  Position position;
  std::string message;  // unknown key "replcias" in services.web.deploy
  std::string hint;     // did you mean "replicas"?  May be empty
  std::string line;     // the offending line's text, without newline; may be empty
  bool operator==(const Finding&) const = default;
};

struct Loaded {
  Spec spec;
  std::vector<Finding> warnings;  // sorted by position
};

// All faults, sorted by position, at most kMaxFaults (dropped says how many more there were), and
// the warnings found until then.
struct Failure {
  std::vector<std::string> files;
  std::vector<Finding> faults;
  std::vector<Finding> warnings;
  std::size_t dropped = 0;
};

// Files in the order of `-f`: later ones override, by docker's rules. Never throws; the same input
// gives the same output. Time and memory are bounded whatever the input.
tl::expected<Loaded, Failure> load(const std::vector<SourceFile>& files,
                                   const LoadOptions& options);

// Reads the files at `paths` and `working_dir`/`.env` presence from the file system, then load().
// A file that cannot be read is a fault.
tl::expected<Loaded, Failure> load_paths(const std::vector<std::string>& paths,
                                         const StringMap& environment);

// As a compiler prints it:
//   hive.yml:12:5: unknown key "replcias" in services.web.deploy (did you mean "replicas"?)
//      12 |     replcias: 3
//         |     ^
// Warnings begin "hive.yml:3:1: warning: ...". Ends with a newline.
std::string render(const std::vector<std::string>& files, const Finding& finding);
std::string render(const Failure& failure);
// The failure as one Error (kInvalidArgument) whose message is render(failure).
Error to_error(const Failure& failure);

// The resolved file as YAML, for `hive config`: canonical, read by `docker stack deploy` and by
// load() with the same meaning. `$` is doubled, so that reading it again changes nothing. Contents
// of secrets and configs are not in it (their files' names are); environment values are.
std::string render_yaml(const Spec& spec);

}  // namespace hive::config
