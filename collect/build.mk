# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-collect,collect,engine grade core liballot,))
