#include "cli/images.h"

#include "base/base64.h"
#include "base/json.h"
#include "model/image_reference.h"
#include "net/http_client.h"
#include "registry/client.h"
#include "registry/push.h"

namespace hive::cli {

namespace local = cloud::local;

Result<std::string> digest_in_registry(const local::LocalCluster& cluster,
                                       const std::string& reference) {
  HIVE_ASSIGN(const auto image, model::parse_image_reference(cluster.registry + "/" + reference));
  net::HttpClient client({.base_url = "http://" + cluster.registry_at});
  net::Request request{.method = "HEAD",
                       .path = "/v2/" + image.path + "/manifests/" + image.version()};
  request.headers.emplace("authorization", "Basic " + base64_encode(cluster.registry_user + ":" +
                                                                    cluster.registry_password));
  request.headers.emplace("accept",
                          "application/vnd.docker.distribution.manifest.v2+json, "
                          "application/vnd.docker.distribution.manifest.list.v2+json, "
                          "application/vnd.oci.image.manifest.v1+json, "
                          "application/vnd.oci.image.index.v1+json");
  request.deadline = Milliseconds(5'000);
  const auto response = client.send(request);
  if (!response) return annotate(response.error(), "asking the registry at " + cluster.registry_at);
  if (response->status == 401 || response->status == 403)
    return fail(Errc::kUnauthenticated,
                "the registry at " + cluster.registry_at + " refuses user " +
                    cluster.registry_user +
                    ": its password is not the one in the cluster's record");
  if (response->status != 200)
    return fail(Errc::kNotFound, "the registry has no image " + reference);
  const auto digest = response->headers.find("docker-content-digest");
  return digest == response->headers.end() ? std::string() : digest->second;
}

std::optional<std::set<std::string>> images_in_registry(const local::LocalCluster& cluster,
                                                        const config::Spec& spec) {
  std::set<std::string> references;
  const std::string prefix = cluster.registry + "/";
  for (const auto& [name, service] : spec.services) {
    if (service.image.starts_with(prefix)) references.insert(service.image.substr(prefix.size()));
  }
  for (const auto& [reference, archive] : spec.cluster.registry.images)
    references.insert(reference);
  std::set<std::string> there;
  for (const auto& reference : references) {
    const auto digest = digest_in_registry(cluster, reference);
    if (digest)
      there.insert(reference);
    else if (digest.error().code != Errc::kNotFound)
      return std::nullopt;
  }
  return there;
}

Status push_archive(const local::LocalCluster& cluster, const std::string& archive,
                    const std::string& reference) {
  registry::Client client(cluster.registry_at, {.insecure = {cluster.registry_at}},
                          registry::Credentials{.username = cluster.registry_user,
                                                .password = cluster.registry_password});
  HIVE_ASSIGN(const auto target, model::parse_image_reference(cluster.registry + "/" + reference));
  HIVE_TRY(registry::push_archive(client, archive, target));
  return {};
}

Status push_missing_images(const local::LocalCluster& cluster, const config::Spec& spec,
                           const std::function<void(const std::string&)>& did) {
  for (const auto& [reference, archive] : spec.cluster.registry.images) {
    const auto digest = digest_in_registry(cluster, reference);
    if (digest) continue;
    if (digest.error().code != Errc::kNotFound) return tl::unexpected(digest.error());
    if (auto pushed = push_archive(cluster, archive, reference); !pushed)
      return annotate(pushed.error(), reference);
    did("image " + reference + " pushed to " + cluster.registry);
  }
  return {};
}

}  // namespace hive::cli
