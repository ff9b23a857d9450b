// The flags of `service create` and `service update`, as docker has them, and what they do to a
// service's spec. Pure: names of networks, secrets and configs stay names (service_resolve.h turns
// them into ids).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/command.h"

namespace hive::cli {

struct ServiceFlags {
  std::map<std::string, std::optional<std::string>> text;  // by long name, "--limit-cpu"
  std::map<std::string, std::vector<std::string>> lists;   // "--env"
  std::map<std::string, bool> flags;                       // "--force"

  const std::vector<std::string>& list(const std::string& name) const;
  std::optional<std::string> value(const std::string& name) const;
  bool flag(const std::string& name) const;
};

void declare_service_flags(Declare& declare, ServiceFlags& flags, bool create);

// A new service's spec. kInvalidArgument names the flag, the value and what it should be.
Result<Json> new_service_spec(const ServiceFlags& flags,
                              const std::vector<std::string>& image_args);

// Edits an existing spec. False when nothing changes.
Result<bool> edit_service_spec(const ServiceFlags& flags, Json& spec);

// --- hive's publish rule: a port published through the mesh becomes a listener at the edges. The
// task's own port is bound in host mode at a port that the engine chooses, and the listener port is
// kept in label `hive.listeners`: [{"port":8080,"target":8080,"protocol":"tcp"}].
struct Publish {
  std::int64_t published = 0;  // 0 = none given
  std::int64_t target = 0;
  std::string protocol = "tcp";
  bool host = false;  // mode=host: bound on the node as written, no listener
};
// "8080:80", "80", "8000-8002:80-82/udp", "published=8080,target=80,mode=host".
Result<std::vector<Publish>> parse_publish(const std::string& text);
Status add_publish(const Publish& publish, Json& spec);
// By target port: "80" or "80/udp".
Status remove_publish(const std::string& text, Json& spec);

// "type=bind,source=/a,target=/b,readonly" as the API's Mount.
Result<Json> parse_mount(const std::string& text);

}  // namespace hive::cli
