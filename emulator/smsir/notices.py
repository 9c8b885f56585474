"""Drafts, frequently asked questions, occasional messages and notifications."""

from __future__ import annotations

from collections.abc import Iterable

from ..jalali import jalali_text
from .envelope import Payload, not_found
from .operation import Call, get, post
from .paging import after_last_id, page
from .records import Draft, Notification
from .state import State

_DRAFT = "پیش‌نویس"
_NOTIFICATION = "اطلاعیه"


def get_drafts(state: State, _call: Call) -> Payload:
    """`GetDraftMessages`, newest first (INFERRED). No id is told; tests find it in `drafts`."""
    return _drafts(reversed(state.drafts.values()))


def save_draft(state: State, call: Call) -> Payload:
    """`AddOrUpdateDraftMessage`: no id, null or 0 creates."""
    draft_id, text = call.fields.integer("Id"), call.fields.required_text("Message")
    if draft_id == 0:
        draft = Draft(state.new_draft_id(), text, state.clock.now())
        state.drafts[draft.id] = draft
    elif draft_id in state.drafts:
        draft = state.drafts[draft_id]
        draft.text = text
    else:
        raise not_found(_DRAFT)
    return _drafts([draft])


def delete_draft(state: State, call: Call) -> Payload:
    """`DeleteDraftMessage`; a second time it is a failure (INFERRED)."""
    if state.drafts.pop(call.fields.integer("id"), None) is None:
        raise not_found(_DRAFT)
    return {}


def _drafts(drafts: Iterable[Draft]) -> Payload:
    items = [
        {
            "Message": draft.text,
            "CreationDateTime": draft.created_at,
            "PersianCreationDateTime": jalali_text(draft.created_at),
        }
        for draft in drafts
    ]
    return {"DraftMessageDetails": items}


def get_questions(state: State, _call: Call) -> Payload:
    """`GetFrequentlyAskedQuestions`."""
    items = [
        {
            "Question": question.question,
            "Answer": question.answer,
            "CreationDateTime": question.created_at,
            "IsActive": question.is_active,
            "Priority": question.priority,
            "PlatformKeyId": question.platform_id,
        }
        for question in state.questions
    ]
    return {"FrequentlyAskedQuestions": items}


def get_categories(state: State, _call: Call) -> Payload:
    """`GetOccasionalMessageCategory`."""
    items = [
        {"Id": category.id, "Name": category.name, "MessageCount": len(category.messages)}
        for category in state.occasional_categories
    ]
    return {"OccasionalMessageCategory": items}


def get_occasional(state: State, call: Call) -> Payload:
    """`GetOccasionalMessages`. Without a category all of them, of an unknown one none (INFERRED)."""
    wanted = call.fields.integer("occasionalMessageCategoryId")
    items = [
        {
            "Message": message.text,
            "OccasionalMessageCategoryId": category.id,
            "CreationDateTime": message.created_at,
            "ExpirationDateTime": message.expires_at,
        }
        for category in state.occasional_categories
        if wanted in (0, category.id)
        for message in category.messages
    ]
    return {"OccasionalMessages": items}


def get_notifications_by_page(state: State, call: Call) -> Payload:
    """`GetUserNotificationFromPageId`, by page in spite of its name."""
    return _notifications(page(state.notifications[::-1], call.fields.integer("pageId")))


def get_notifications_from_last_id(state: State, call: Call) -> Payload:
    """`GetUserNotificationFromLastId`."""
    last_id = call.fields.integer("lastId")
    return _notifications(after_last_id(state, state.notifications[::-1], last_id, lambda notice: notice.id))


def mark_notification(state: State, call: Call) -> Payload:
    """`UpdateNotificationStatus`. It marks as read and may be repeated (INFERRED)."""
    wanted = call.fields.integer("id")
    found = [notice for notice in state.notifications if notice.id == wanted]
    if not found:
        raise not_found(_NOTIFICATION)
    found[0].is_read = True
    return {}


def _notifications(notices: Iterable[Notification]) -> Payload:
    items = [
        {
            "Id": notice.id,
            "Message": notice.text,
            "Title": notice.title,
            "CreationDateTime": notice.created_at,
            "StartDateTime": notice.start_at,
            "EndDateTime": notice.end_at,
            "IsRead": notice.is_read,
        }
        for notice in notices
    ]
    return {"ListUserNotification": items}


OPERATIONS = (
    get("DraftMessage/GetDraftMessages", get_drafts, DraftMessageDetails=None),
    post("DraftMessage/AddOrUpdateDraftMessage", save_draft, DraftMessageDetails=None),
    get("DraftMessage/DeleteDraftMessage", delete_draft, "id"),
    get("FrequentlyAskedQuestion/GetFrequentlyAskedQuestions", get_questions, FrequentlyAskedQuestions=None),
    get("OccasionalMessage/GetOccasionalMessageCategory", get_categories, OccasionalMessageCategory=None),
    get("OccasionalMessage/GetOccasionalMessages", get_occasional, OccasionalMessages=None),
    get("Notification/GetUserNotificationFromPageId", get_notifications_by_page, ListUserNotification=None),
    get("Notification/GetUserNotificationFromLastId", get_notifications_from_last_id, ListUserNotification=None),
    get("Notification/UpdateNotificationStatus", mark_notification),
)
