# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-eval,eval,lib/store lib/core liballot,))
