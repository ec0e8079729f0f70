# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-demo-server,demo,lib/core liballot,libmicrohttpd libcjson))
