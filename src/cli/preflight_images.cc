// Images of registries other than the cluster's own: asked there, before anything is made, with the
// credentials that the nodes would pull with.
#include <thread>

#include "cli/preflight.h"
#include "cli/service_resolve.h"
#include "registry/client.h"

namespace hive::cli {
namespace {

constexpr Milliseconds kDeadline{5'000};

Status ask(const config::Spec& spec, const std::string& image) {
  HIVE_ASSIGN(const auto reference, model::parse_image_reference(image));
  HIVE_ASSIGN(const auto auth, auth_for_image({.host = "", .cluster = spec.cluster.name},
                                              spec.cluster.registry, image));
  std::optional<registry::Credentials> credentials;
  if (!auth.empty())
    credentials = registry::Credentials{auth.username, auth.password, auth.identity_token};
  registry::Client client(reference.domain, {.deadline = kDeadline}, credentials);
  HIVE_TRY(client.resolve(reference));
  return {};
}

}  // namespace

std::map<std::string, Error> outside_image_faults(const config::Spec& spec,
                                                  const std::string& own_registry) {
  std::map<std::string, Status> answers;
  for (const auto& [name, service] : spec.services)
    if (!service.image.starts_with(own_registry + "/")) answers.emplace(service.image, Status{});
  std::vector<std::thread> threads;
  threads.reserve(answers.size());
  for (auto& [image, answer] : answers)
    threads.emplace_back([&spec, &image = image, &answer = answer] { answer = ask(spec, image); });
  for (auto& thread : threads) thread.join();
  std::map<std::string, Error> faults;
  for (auto& [image, answer] : answers)
    if (!answer) faults.emplace(image, std::move(answer).error());
  return faults;
}

}  // namespace hive::cli
