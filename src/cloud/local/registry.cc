#include "cloud/local/registry.h"

#include <fmt/core.h>
#include <unistd.h>

#include "base/json.h"
#include "cloud/local/daemon.h"
#include "net/http_client.h"
#include "os/file.h"
#include "os/process.h"

namespace hive::cloud::local {
namespace {

std::string base64(const std::string& in) {
  static constexpr char kTable[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < in.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = (bits << 8U) | (i + k < in.size() ? static_cast<unsigned char>(in[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k <= in.size() ? kTable[(bits >> (18 - 6 * k)) & 63U] : '=';
  }
  return out;
}

bool answers(const LocalCluster& cluster) {
  net::HttpClient client(net::Target{.base_url = "http://" + cluster.registry_at});
  net::Request request;
  request.path = "/v2/";
  request.deadline = Milliseconds(1'000);
  const auto answer = client.send(request);
  return answer && (answer->status == 401 || answer->status == 200);
}

Status write_files(const Paths& paths, const LocalCluster& cluster) {
  const auto base = paths.state / "registry";
  HIVE_TRY(os::make_directories(base, 0700));
  os::RunOptions options;
  options.input = cluster.registry_password;
  HIVE_ASSIGN(const std::string line,
              os::run_ok({"htpasswd", "-niB", "-C", "5", cluster.registry_user}, options));
  HIVE_TRY(os::write_file_atomically(base / "htpasswd", line, 0600));
  HIVE_TRY(os::write_file_atomically(
      base / "config.yml",
      fmt::format("version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n"
                  "    rootdirectory: \"{}\"\n  delete:\n    enabled: true\n"
                  "http:\n  addr: {}\nauth:\n  htpasswd:\n    realm: hive\n    path: \"{}\"\n",
                  (base / "data").string(), cluster.registry_at, (base / "htpasswd").string()),
      0600));
  HIVE_TRY(os::make_directories(paths.state / "docker", 0700));
  return os::write_file_atomically(paths.state / "docker" / "config.json",
                                   registry_docker_config(cluster), 0600);
}

}  // namespace

std::string registry_docker_config(const LocalCluster& cluster) {
  const Json login{{"auth", base64(cluster.registry_user + ":" + cluster.registry_password)}};
  return Json{{"auths", {{cluster.registry, login}, {cluster.registry_at, login}}}}.dump(2) + "\n";
}

Status ensure_registry(const Paths& paths, const LocalCluster& cluster) {
  if (running_daemon(paths, "registry") != 0) return {};
  HIVE_TRY(check_port_free(cluster.gateway, 5001));
  HIVE_TRY(write_files(paths, cluster));
  HIVE_TRY(start_daemon(
      paths, "registry",
      {"docker-registry", "serve", (paths.state / "registry" / "config.yml").string()}));
  for (int i = 0; i < 500; ++i) {
    if (answers(cluster)) return {};
    if (running_daemon(paths, "registry") == 0) break;
    ::usleep(20'000);
  }
  return fail(Errc::kUnavailable, fmt::format("the registry does not start; see {}",
                                              (paths.state / "registry.log").string()));
}

}  // namespace hive::cloud::local
