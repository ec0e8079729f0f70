# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-collect,collect,lib/labels lib/engine lib/methods lib/extract lib/grade lib/net lib/store lib/core liballot,))
