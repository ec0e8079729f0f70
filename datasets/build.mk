# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-datasets,datasets,lib/readers lib/extract lib/grade lib/net lib/store lib/core liballot,))
