"""The description that `?wsdl` gives, of the shape that nuSOAP makes."""

from __future__ import annotations

from .arguments import ARRAYS, METHODS
from .xmlwrite import SOAP_ENC, escape

_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"\
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"\
 xmlns:tns="urn:smsserver" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"\
 xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns="http://schemas.xmlsoap.org/wsdl/"\
 targetNamespace="urn:smsserver">
<types>
<xsd:schema targetNamespace="urn:smsserver">
 <xsd:import namespace="http://schemas.xmlsoap.org/soap/encoding/" />
 <xsd:import namespace="http://schemas.xmlsoap.org/wsdl/" />
 <xsd:complexType name="ListArray">
  <xsd:complexContent>
   <xsd:restriction base="SOAP-ENC:Array">
    <xsd:attribute ref="SOAP-ENC:arrayType" wsdl:arrayType="xsd:string[]"/>
   </xsd:restriction>
  </xsd:complexContent>
 </xsd:complexType>
</xsd:schema>
</types>
"""


def describe(address: str, namespace: str) -> str:
    """The whole document; `namespace` is that of the calls' wrapper elements."""
    messages = "".join(_messages(method, names) for method, names in METHODS.items())
    ports = "".join(_port(method) for method in METHODS)
    bindings = "".join(_binding(method, escape(namespace)) for method in METHODS)
    return (
        f"{_HEAD}{messages}"
        f'<portType name="smsserverPortType">\n{ports}</portType>\n'
        '<binding name="smsserverBinding" type="tns:smsserverPortType">\n'
        f'  <soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>\n{bindings}</binding>\n'
        '<service name="smsserver">\n  <port name="smsserverPort" binding="tns:smsserverBinding">\n'
        f'    <soap:address location="{escape(address)}"/>\n  </port>\n</service>\n</definitions>'
    )


def _messages(method: str, names: tuple[str, ...]) -> str:
    parts = "".join(
        f'\n  <part name="{name}" type="{"tns:ListArray" if name in ARRAYS else "xsd:string"}" />'
        for name in ("user", "pass", *names)
    )
    # nuSOAP would say xsd:Array, a type that does not exist and that careful clients stumble over.
    return (
        f'<message name="{method}Request">{parts}</message>\n'
        f'<message name="{method}Response">\n  <part name="return" type="xsd:anyType" /></message>\n'
    )


def _port(method: str) -> str:
    return (
        f'  <operation name="{method}">\n    <input message="tns:{method}Request"/>\n'
        f'    <output message="tns:{method}Response"/>\n  </operation>\n'
    )


def _binding(method: str, namespace: str) -> str:
    body = f'<soap:body use="encoded" namespace="{namespace}" encodingStyle="{SOAP_ENC}"/>'
    return (
        f'  <operation name="{method}">\n    <soap:operation soapAction="{method}" style="rpc"/>\n'
        f"    <input>{body}</input>\n    <output>{body}</output>\n  </operation>\n"
    )
