// Private keys as Swarm writes them: PEM with headers of its own ("kek-version: 0", "raft-dek:
// ...") between the BEGIN line and the data, which OpenSSL refuses for want of "Proc-Type". Source:
// swarmkit ca/keyreadwriter.go; seen with Docker 20.10.
#pragma once

#include <string>

#include "base/result.h"

namespace hive::net {

// The key without such headers, as PEM. kNotFound or kPermissionDenied when unreadable,
// kUnsupported when it is encrypted (a Swarm with autolock).
Result<std::string> read_private_key(const std::string& path);

}  // namespace hive::net
