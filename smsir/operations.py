"""The vendor's methods: path, verb, and what a second run would do."""

from __future__ import annotations

from ..common.calls import Operation
from ..common.retry import Effect

# Four GETs change something: DeleteContactGroup, DeleteDraftMessage, UpdateNotificationStatus and CloseTicket. A second
# run of a removal may report a failure that is none, so like the sends they run once.

GET_TOKEN = Operation("authenticate", "Token/GetToken", Effect.NONE, gives_credential=True)

TRANSACTIONS_PAGE = Operation("transactions.page", "BankTransaction/GetBankTransactionsByPageId", Effect.NONE, "GET")
TRANSACTIONS_FROM_LAST_ID = Operation(
    "transactions.from_last_id", "BankTransaction/GetBankTransactionsFromLastId", Effect.NONE, "GET"
)

GROUPS_LIST = Operation("groups.list", "Contacts/GetContactGroups", Effect.NONE, "GET")
GROUPS_CREATE = Operation("groups.create", "Contacts/AddOrUpdateContactGroup", Effect.ONCE)
GROUPS_UPDATE = Operation("groups.update", "Contacts/AddOrUpdateContactGroup", Effect.REPEATABLE)
GROUPS_DELETE = Operation("groups.delete", "Contacts/DeleteContactGroup", Effect.ONCE, "GET")
GROUPS_CLEAR = Operation("groups.clear", "Contacts/DeleteGroupContacts", Effect.ONCE)
GROUPS_TRANSFER = Operation("groups.transfer", "Contacts/TransferContactsToGroup", Effect.ONCE)

CONTACTS_ADD = Operation("contacts.add", "Contacts/AddContacts", Effect.ONCE)
CONTACTS_UPDATE = Operation("contacts.update", "Contacts/UpdateContact", Effect.REPEATABLE)
CONTACTS_UPLOAD_EXCEL = Operation("contacts.upload_excel", "Contacts/UploadExcel", Effect.ONCE)
CONTACTS_SEARCH = Operation("contacts.search", "Contacts/SearchContacts", Effect.NONE, "GET")
CONTACTS_FROM_LAST_ID = Operation("contacts.from_last_id", "Contacts/GetContactsFromLastId", Effect.NONE, "GET")
CONTACTS_IN_GROUP = Operation("contacts.in_group", "Contacts/GetContactsByGroupIdByPageId", Effect.NONE, "GET")
CONTACTS_CANCELLED = Operation("contacts.cancelled", "Contacts/GetCancelledContactsByPageId", Effect.NONE, "GET")
CONTACTS_PAGE = Operation("contacts.page", "Contacts/GetContactsByPageId", Effect.NONE, "GET")
CONTACTS_DELETE = Operation("contacts.delete", "Contacts/DeleteContacts", Effect.ONCE)

DRAFTS_LIST = Operation("drafts.list", "DraftMessage/GetDraftMessages", Effect.NONE, "GET")
DRAFTS_CREATE = Operation("drafts.create", "DraftMessage/AddOrUpdateDraftMessage", Effect.ONCE)
DRAFTS_UPDATE = Operation("drafts.update", "DraftMessage/AddOrUpdateDraftMessage", Effect.REPEATABLE)
DRAFTS_DELETE = Operation("drafts.delete", "DraftMessage/DeleteDraftMessage", Effect.ONCE, "GET")

FAQ = Operation("faq", "FrequentlyAskedQuestion/GetFrequentlyAskedQuestions", Effect.NONE, "GET")

MESSAGES_SEND = Operation("messages.send", "Message/Send", Effect.ONCE)
MESSAGES_SEND_TO_NUMBERS = Operation("messages.send_to_numbers", "Message/SendByMobileNumbers", Effect.ONCE)
MESSAGES_COUNT_RECIPIENTS = Operation("messages.count_recipients", "Message/GroupContactsDistinctCount", Effect.NONE)
MESSAGES_SENT_FROM_LAST_ID = Operation(
    "messages.sent_from_last_id", "Message/GetLastSentMessagesFromLastId", Effect.NONE, "GET"
)
MESSAGES_SENT_PAGE = Operation("messages.sent_page", "Message/GetLastSentMessagesByPageId", Effect.NONE, "GET")
MESSAGES_RECIPIENTS = Operation("messages.recipients", "Message/GetSentMessagesMobileNumbers", Effect.NONE, "GET")

NOTIFICATIONS_PAGE = Operation("notifications.page", "Notification/GetUserNotificationFromPageId", Effect.NONE, "GET")
NOTIFICATIONS_FROM_LAST_ID = Operation(
    "notifications.from_last_id", "Notification/GetUserNotificationFromLastId", Effect.NONE, "GET"
)
NOTIFICATIONS_UPDATE_STATUS = Operation(
    "notifications.update_status", "Notification/UpdateNotificationStatus", Effect.ONCE, "GET"
)

OCCASIONAL_CATEGORIES = Operation(
    "occasional_messages.categories", "OccasionalMessage/GetOccasionalMessageCategory", Effect.NONE, "GET"
)
OCCASIONAL_LIST = Operation("occasional_messages.list", "OccasionalMessage/GetOccasionalMessages", Effect.NONE, "GET")

TICKETS_OPEN = Operation("tickets.open", "Ticket/PostNewTicket", Effect.ONCE)
TICKETS_GET = Operation("tickets.get", "Ticket/GetTicketById", Effect.NONE, "GET")
TICKETS_FROM_LAST_ID = Operation("tickets.from_last_id", "Ticket/GetTicketsFromLastId", Effect.NONE, "GET")
TICKETS_PAGE = Operation("tickets.page", "Ticket/GetTicketsByPageId", Effect.NONE, "GET")
TICKETS_OPTIONS = Operation("tickets.options", "Ticket/GetTicketPrioritiesAndDepartments", Effect.NONE, "GET")
TICKETS_CLOSE = Operation("tickets.close", "Ticket/CloseTicket", Effect.ONCE, "GET")
TICKETS_REPLY = Operation("tickets.reply", "Ticket/PostNewTicketReply", Effect.ONCE)
TICKETS_STATUSES = Operation("tickets.statuses", "Ticket/GetTicketStatus", Effect.NONE, "GET")

ACCOUNT = Operation("account", "WhiteSms/GetUserInfo", Effect.NONE, "GET")
