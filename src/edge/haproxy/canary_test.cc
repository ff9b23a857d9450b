#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/haproxy/config.h"

namespace hive::edge::haproxy {
namespace {

using testing::HasSubstr;
using testing::Not;

model::RoutingTable table(std::uint32_t canary_percent) {
  model::RoutingTable out;
  model::Listener listener;
  listener.port = 8080;
  out.listeners.push_back(listener);
  model::Backend backend;
  backend.name = "web";
  backend.canary_percent = canary_percent;
  backend.sticky_cookie = "SID";
  out.backends.push_back(backend);
  out.routes.push_back({8080, "", "", "web"});
  return out;
}

TEST(Canary, ACanaryGetsItsShareAtEveryEdgeWhileItCanServe) {
  const std::string text = render_config(table(15), {}, {});
  EXPECT_THAT(text, HasSubstr("use_backend b.web.canary if { rand(100) lt 15 } "
                              "{ nbsrv(b.web.canary) gt 0 }\n"));
  EXPECT_THAT(text, HasSubstr("\nbackend b.web.canary\n"));
  // Who has a task's cookie comes first, then the share, then the rest.
  EXPECT_LT(text.find("req.cook(SID)"), text.find("rand(100)"));
  EXPECT_LT(text.find("rand(100)"), text.find("use_backend b.web.local"));
}

TEST(Canary, WithoutACanaryNothingIsSaidOfOne) {
  EXPECT_THAT(render_config(table(0), {}, {}), Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace hive::edge::haproxy
