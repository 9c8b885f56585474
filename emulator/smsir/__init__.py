"""The sms.ir White SMS gateway: all methods of its document, and `Message/SendByMobileNumbers`, which only the
vendor's samples have.

Written from the vendor's document. Where that document is silent the choice is marked INFERRED, and is a switch
(`state.Switches`) wherever a client could depend on it.

    gateway.py    paths, token, from request to reply; what tests can do from outside
    operation.py  what a method is
    sends.py      the two ways to send, and the count before sending
    sent.py       what was sent, and how it fared
    contacts.py   adding, changing, moving and deleting contacts
    listings.py   contacts by page, by id, by group, by name
    groups.py     groups of contacts
    tickets.py    support tickets with replies and files
    notices.py    drafts, questions and answers, occasional messages, notifications
    finance.py    bank transactions and the account
    phone_book.py groups, contacts and memberships
    excel.py      the first sheet of an .xlsx file
    tokens.py     tokens of 30 minutes
    state.py      account, switches, and everything that is remembered
    records.py    sends, drafts, tickets, notifications and the like
    seeds.py      what is there from the start
    numbers.py    special recipients, and how messages fare
    fields.py     parameters: names in any case, and what Json.NET takes for a number
    paging.py     pages of 50, and lists from a last id
    envelope.py   the reply's envelope, its errors and its dates
"""

from __future__ import annotations

from .gateway import SmsIrGateway
from .state import Account, Switches

__all__ = ["Account", "SmsIrGateway", "Switches"]
