#include "cloud/aws/ecr.h"

#include "base/base64.h"
#include "base/text.h"

namespace hive::cloud::aws {
namespace {

Json tag_list(const Tags& tags) {
  Json out = Json::array();
  for (const auto& [key, value] : tags) out.push_back({{"Key", key}, {"Value", value}});
  return out;
}

const Json* first_in(const Json& answer, const char* list) {
  const Json* found = json_member(answer, list);
  return found == nullptr || !found->is_array() || found->empty() ? nullptr : &found->front();
}

}  // namespace

Result<Repository> describe_repository(Client& client, const std::string& name) {
  HIVE_ASSIGN(const auto pages,
              client.json_all(Op::kDescribeRepositories, {{"repositoryNames", {name}}}));
  for (const auto& page : pages)
    if (const Json* one = first_in(page, "repositories"))
      return Repository{.name = json_string(*one, "repositoryName"),
                        .arn = json_string(*one, "repositoryArn"),
                        .uri = json_string(*one, "repositoryUri")};
  return fail(Errc::kNotFound, "there is no repository " + name);
}

Result<Tags> repository_tags(Client& client, const std::string& arn) {
  HIVE_ASSIGN(const auto answer, client.json(Op::kListRepositoryTags, {{"resourceArn", arn}}));
  Tags out;
  if (const Json* list = json_member(answer, "tags"); list != nullptr && list->is_array())
    for (const auto& tag : *list) out[json_string(tag, "Key")] = json_string(tag, "Value");
  return out;
}

Status create_repository(Client& client, const std::string& name, const Tags& tags) {
  HIVE_TRY(
      client.json(Op::kCreateRepository, {{"repositoryName", name},
                                          {"tags", tag_list(tags)},
                                          {"imageScanningConfiguration", {{"scanOnPush", true}}}}));
  return {};
}

Status delete_repository(Client& client, const std::string& name) {
  HIVE_TRY(client.json(Op::kDeleteRepository, {{"repositoryName", name}, {"force", false}}));
  return {};
}

Result<Json> get_lifecycle_policy(Client& client, const std::string& repository) {
  HIVE_ASSIGN(const auto answer,
              client.json(Op::kGetLifecyclePolicy, {{"repositoryName", repository}}));
  return parse_json(json_string(answer, "lifecyclePolicyText"),
                    "the lifecycle policy of repository " + repository);
}

Status put_lifecycle_policy(Client& client, const std::string& repository, const Json& policy) {
  HIVE_TRY(client.json(Op::kPutLifecyclePolicy,
                       {{"repositoryName", repository}, {"lifecyclePolicyText", policy.dump()}}));
  return {};
}

std::optional<RegistryPlace> ecr_of(const std::string& image) {
  const auto slash = image.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::string address = image.substr(0, slash);
  const auto parts = split(address, '.');
  // ACCOUNT.dkr.ecr.REGION.amazonaws.com, and .com.cn in China.
  constexpr std::size_t kParts = 6;
  constexpr std::size_t kRegion = 3;
  const bool whole = parts.size() == kParts || (parts.size() == kParts + 1 && parts.back() == "cn");
  const bool named = whole && parts[1] == "dkr" && (parts[2] == "ecr" || parts[2] == "ecr-fips") &&
                     parts[4] == "amazonaws" && parts[5] == "com";
  const bool number =
      named && !parts[0].empty() && parts[0].find_first_not_of("0123456789") == std::string::npos;
  if (!number || parts[kRegion].empty()) return std::nullopt;
  return RegistryPlace{address, parts[kRegion]};
}

Result<RegistryLogin> get_authorization_token(Client& client) {
  HIVE_ASSIGN(const auto answer, client.json(Op::kGetAuthorizationToken, Json::object()));
  const Json* one = first_in(answer, "authorizationData");
  if (one == nullptr) return fail(Errc::kCorrupt, "ecr GetAuthorizationToken: the answer has none");
  const auto token = base64_decode(json_string(*one, "authorizationToken"));
  const auto colon = token ? token->find(':') : std::string::npos;
  if (colon == std::string::npos)
    return fail(Errc::kCorrupt, "ecr GetAuthorizationToken: the token is not user:password");
  RegistryLogin out;
  out.username = token->substr(0, colon);
  out.password = os::Secret(token->substr(colon + 1));
  out.address = json_string(*one, "proxyEndpoint");
  if (const auto scheme = out.address.find("://"); scheme != std::string::npos)
    out.address.erase(0, scheme + 3);
  const Json* end = json_member(*one, "expiresAt");
  if (end == nullptr || !end->is_number())
    return fail(Errc::kCorrupt, "ecr GetAuthorizationToken: the answer has no expiresAt");
  out.expires =
      std::chrono::system_clock::from_time_t(static_cast<std::time_t>(end->get<double>()));
  return out;
}

}  // namespace hive::cloud::aws
