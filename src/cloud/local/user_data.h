// Runs an instance's user data, as cloud-init does: a `#!` script, or a `#cloud-config` document of
// which write_files, bootcmd and runcmd are known. Anything else in it is an error by name.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace hive::cloud::local {

struct WriteFile {
  std::string path;
  std::string content;
  std::string permissions = "0644";
  bool append = false;
};
struct CloudConfig {
  std::vector<WriteFile> write_files;
  std::vector<std::vector<std::string>> bootcmd;  // each boot
  std::vector<std::vector<std::string>> runcmd;   // first boot only
};

// kInvalidArgument names the key. A command that is one string runs by /bin/sh -c.
Result<CloudConfig> parse_cloud_config(const std::string& text);

// `first_boot`: write_files, runcmd and scripts run only then; bootcmd always. A command that fails
// does not stop the ones behind it; the error names the first.
Status run_user_data(const std::string& text, bool first_boot);

}  // namespace hive::cloud::local
