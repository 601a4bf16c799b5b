"""The addresses under auth/."""

from django.urls import path

from accounts.api.forgotten import PasswordReset, PasswordResetConfirm
from accounts.api.login import Login, Logout, LogoutAll
from accounts.api.me import Me, Password
from accounts.api.otp import Otp, OtpConfirm, OtpRemove, RecoveryCodes
from accounts.api.register import Confirm, Register
from accounts.api.session import Session
from accounts.api.sessions import OneSession, Sessions
from accounts.api.tokens import OneToken, Tokens

app_name = "auth"
urlpatterns = [
    path("register", Register.as_view(), name="register"),
    path("confirm", Confirm.as_view(), name="confirm"),
    path("login", Login.as_view(), name="login"),
    path("logout", Logout.as_view(), name="logout"),
    path("logoutall", LogoutAll.as_view(), name="logoutall"),
    path("session", Session.as_view(), name="session"),
    path("me", Me.as_view(), name="me"),
    path("me/password", Password.as_view(), name="password"),
    path("me/otp", Otp.as_view(), name="otp"),
    path("me/otp/confirm", OtpConfirm.as_view(), name="otp_confirm"),
    path("me/otp/remove", OtpRemove.as_view(), name="otp_remove"),
    path("me/otp/recovery-codes", RecoveryCodes.as_view(), name="recovery_codes"),
    path("me/sessions", Sessions.as_view(), name="sessions"),
    path("me/sessions/<str:session_id>", OneSession.as_view(), name="one_session"),
    path("password/reset", PasswordReset.as_view(), name="password_reset"),
    path("password/reset/confirm", PasswordResetConfirm.as_view(), name="password_reset_confirm"),
    path("me/tokens", Tokens.as_view(), name="tokens"),
    path("me/tokens/<str:token_id>", OneToken.as_view(), name="token"),
]
