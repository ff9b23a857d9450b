#include "controller/registry_logins.h"

#include <algorithm>

#include "base/log.h"
#include "controller/world_facts.h"

namespace hive::controller {
namespace {

constexpr const char* kEcrComponent = "ecr";
constexpr Milliseconds kLook{60'000};
constexpr Milliseconds kPulls{120'000};

}  // namespace

void RegistryLogins::turn() {
  const auto now = clock_.now();
  if (looked_ && now - looked_at_ < kLook) return;
  looked_ = true;
  looked_at_ = now;
  const auto services = engine_.list_services();
  if (!services) return warnings_.tell("services", services.error());
  std::map<std::string, std::uint64_t> still;
  for (const auto& service : *services) {
    const auto before = written_.find(service.id);
    if (before != written_.end()) still.insert(*before);
  }
  written_ = std::move(still);
  for (const auto& service : *services)
    if (const auto place = cloud::aws::ecr_of(service.image); place && !updating(service))
      write_service(service, *place);
}

// Tasks that still pull would begin anew.
Result<bool> RegistryLogins::pulls(const model::Service& service) const {
  HIVE_ASSIGN(const auto tasks, engine_.list_tasks({{"service", {service.id}}}));
  return std::any_of(tasks.begin(), tasks.end(), [&](const model::Task& task) {
    const auto age = clock_.wall_now() - WallTime(Milliseconds(task.created_unix_ms));
    return task.desired == model::TaskState::kRunning && task.state < model::TaskState::kReady &&
           age < kPulls;
  });
}

void RegistryLogins::write_service(const model::Service& service,
                                   const cloud::aws::RegistryPlace& place) {
  const auto token = token_for(place.region);
  if (!token) return;
  const auto before = written_.find(service.id);
  if (before != written_.end() && before->second == token->number) return;
  const auto pulling = pulls(service);
  if (!pulling) return warnings_.tell(service.name, pulling.error());
  if (*pulling) return;
  engine::ServiceWriteOptions options;
  options.auth = auth_of(*token, place);
  const auto done = engine::modify_service(
      engine_, service.id, [](Json&) -> Result<bool> { return true; }, options);
  if (!done) return warnings_.tell(service.name, done.error());
  warnings_.over(service.name);
  written_[service.id] = token->number;
  log::info(kEcrComponent, "gave service {} a fresh login to {}", service.name, place.address);
}

engine::RegistryAuth RegistryLogins::auth_of(const Token& token,
                                             const cloud::aws::RegistryPlace& place) {
  engine::RegistryAuth out;
  out.username = token.login.username;
  out.password = token.login.password.reveal();
  out.server_address = place.address;
  return out;
}

std::optional<engine::RegistryAuth> RegistryLogins::login_of(const std::string& image) const {
  const auto place = cloud::aws::ecr_of(image);
  if (!place) return engine::RegistryAuth{};
  const std::lock_guard lock(mutex_);
  const auto token = tokens_.find(place->region);
  if (token == tokens_.end() || clock_.wall_now() >= token->second.login.expires)
    return std::nullopt;
  return auth_of(token->second, *place);
}

// The one there is, or a new one at half of its life; an old one that lives still, where none
// comes.
std::optional<RegistryLogins::Token> RegistryLogins::token_for(const std::string& region) {
  const auto now = clock_.wall_now();
  std::optional<Token> there;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = tokens_.find(region); found != tokens_.end()) there = found->second;
  }
  if (there && now < there->renew) return there;
  auto login = login_(region);
  if (login) {
    warnings_.over(region);
    const auto renew = now + (login->expires - now) / 2;
    const Token fresh{std::move(*login), renew, ++tokens_made_};
    const std::lock_guard lock(mutex_);
    tokens_.insert_or_assign(region, fresh);
    return fresh;
  }
  warnings_.tell(region, login.error());
  if (there && now >= there->login.expires) there.reset();
  return there;
}

}  // namespace hive::controller
