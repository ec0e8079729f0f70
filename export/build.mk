# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-export,export,lib/store lib/core liballot,))
