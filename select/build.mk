# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-select,select,lib/decide lib/net lib/store lib/core liballot,))
