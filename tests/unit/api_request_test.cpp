#include <catch2/catch.hpp>

#include "wire_request.h"

namespace tokensync {
namespace {

Call CallWith(std::string payload) {
  return Call{CallKind::kCreate, TokenKey{ProjectId{30957}, CollectionId{888}, TokenId::Parse("200").value()}, false,
              std::move(payload)};
}

constexpr std::string_view kAllSpellings =
    R"({"animationUrl":"a","backgroundColor":"b","externalUrl":"c","imageData":"d","name":"n","tokenId":"200"})";

TEST_CASE("a create carries both spellings, the attributes and private, always") {
  Call call = CallWith(std::string(kAllSpellings));
  call.is_private = true;
  CHECK(RequestBody(call, WireSpelling::kBoth) ==
        R"({"collectionId":888,"private":true,"projectId":30957,"token":{"animationUrl":"a","animation_url":"a",)"
        R"("attributes":[],"backgroundColor":"b","background_color":"b","externalUrl":"c","external_url":"c",)"
        R"("imageData":"d","image_data":"d","name":"n","tokenId":"200"}})");
}

TEST_CASE("a create carries one spelling where it is told so") {
  const Call call = CallWith(std::string(kAllSpellings));
  CHECK(RequestBody(call, WireSpelling::kSnakeCase) ==
        R"({"collectionId":888,"private":false,"projectId":30957,"token":{"animation_url":"a","attributes":[],)"
        R"("background_color":"b","external_url":"c","image_data":"d","name":"n","tokenId":"200"}})");
  CHECK(RequestBody(call, WireSpelling::kCamelCase) ==
        R"({"collectionId":888,"private":false,"projectId":30957,"token":{"animationUrl":"a","attributes":[],)"
        R"("backgroundColor":"b","externalUrl":"c","imageData":"d","name":"n","tokenId":"200"}})");
}

TEST_CASE("the payload's values go as they are") {
  const Call call = CallWith(
      R"({"attributes":[{"display_type":"number","trait_type":"Level","value":5}],"decimals":18,"name":"N",)"
      R"("properties":{"age":null,"big":9007199254740992,"deep":{"list":[1,2.5,true,"é"]},"huge":100000000000000000000},)"
      R"("tokenId":"200"})");
  const std::string body = RequestBody(call, WireSpelling::kBoth);
  CHECK(body == R"({"collectionId":888,"private":false,"projectId":30957,"token":)" + call.payload + "}");
}

TEST_CASE("ids are JSON integers up to their limit") {
  Call call = CallWith(R"({"name":"N","tokenId":"200"})");
  call.key.project.value = kSafeIntegerMax;
  call.key.collection.value = 0;
  CHECK(RequestBody(call, WireSpelling::kBoth) ==
        R"({"collectionId":0,"private":false,"projectId":9007199254740992,"token":{"attributes":[],"name":"N",)"
        R"("tokenId":"200"}})");
}

TEST_CASE("a reading names the token") {
  Call call = CallWith(R"({"name":"N","tokenId":"200"})");
  call.kind = CallKind::kRead;
  CHECK(RequestBody(call, WireSpelling::kBoth) == R"({"collectionId":888,"projectId":30957,"tokenId":"200"})");
  CHECK(RequestPath(CallKind::kRead) == "/rpc/Collections/GetToken");
  CHECK(RequestPath(CallKind::kList) == "/rpc/Collections/ListTokens");
  CHECK(RequestPath(CallKind::kCreate) == "/rpc/Collections/CreateToken");
}

TEST_CASE("a listing names the page, but for the first one") {
  Call call{CallKind::kList, TokenKey::OfCollection({ProjectId{30957}, CollectionId{888}}), false, {}, 0};
  CHECK(RequestBody(call, WireSpelling::kBoth) == R"({"collectionId":888,"page":{"pageSize":30},"projectId":30957})");
  call.page = 4'294'967'295;
  CHECK(RequestBody(call, WireSpelling::kBoth) ==
        R"({"collectionId":888,"page":{"page":4294967295,"pageSize":30},"projectId":30957})");
}

}  // namespace
}  // namespace tokensync
